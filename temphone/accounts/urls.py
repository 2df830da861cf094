from django.urls import path

from temphone.accounts.views import keys, own

urlpatterns = [
    path("login/", own.login, name="login"),
    path("logout/", own.logout, name="logout"),
    path("account/", own.account, name="account"),
    path("account/password/", own.password, name="password"),
    path("setup/keys/", keys.key_list, name="key-list"),
    path("setup/keys/new/", keys.key_new, name="key-new"),
    path("setup/keys/<str:public_id>/", keys.key_page, name="key"),
    path("setup/keys/<str:public_id>/revoke/", keys.key_revoke, name="key-revoke"),
]
