from django.urls import path

from temphone.accounts.views import audit, keys, login, own, team, two_steps

urlpatterns = [
    path("login/", login.login, name="login"),
    path("login/code/", login.login_code, name="login-code"),
    path("logout/", login.logout, name="logout"),
    path("admin/login/", login.office_login, name="office-login"),  # before Django's own
    path("account/", own.account, name="account"),
    path("account/password/", own.password, name="password"),
    path("account/two-steps/", two_steps.set_up, name="two-steps"),
    path("account/two-steps/codes/", two_steps.codes_new, name="recovery-codes"),
    path("account/two-steps/off/", two_steps.switch_off, name="two-steps-off"),
    path("account/look/", own.look, name="look"),
    path("account/zone/", own.own_zone, name="own-zone"),
    path("account/sessions/end/", own.sessions_end, name="sessions-end"),
    path("account/sessions/<str:fingerprint>/end/", own.session_end, name="session-end"),
    path("welcome/<str:user_id>/<str:token>/", team.welcome, name="welcome"),
    path("setup/keys/", keys.key_list, name="key-list"),
    path("setup/keys/new/", keys.key_new, name="key-new"),
    path("setup/keys/<str:public_id>/", keys.key_page, name="key"),
    path("setup/keys/<str:public_id>/revoke/", keys.key_revoke, name="key-revoke"),
    path("setup/audit/", audit.audit_log, name="audit"),
    path("setup/audit/export/", audit.audit_export, name="audit-export"),
    path("setup/team/", team.team_list, name="team"),
    path("setup/team/new/", team.person_new, name="person-new"),
    path("setup/team/<str:user_id>/", team.person, name="person"),
    path("setup/team/<str:user_id>/link/", team.person_link, name="person-link"),
    path("setup/team/<str:user_id>/switch/", team.person_switch, name="person-switch"),
    path("setup/team/<str:user_id>/two-steps/", team.person_two_steps, name="person-two-steps"),
]
