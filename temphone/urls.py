from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from temphone import health

admin.autodiscover()

urlpatterns = [
    path("v1/", include("temphone.api.urls")),  # first: the busiest, and found soonest here
    path("", RedirectView.as_view(pattern_name="overview"), name="home"),
    path("", include("calls.urls")),
    path("", include("contacts.urls")),
    path("", include("campaigns.urls")),
    path("", include("temphone.accounts.urls")),
    path("", include("temphone.webhooks.urls")),
    # A password is changed on one page, which ends the other sessions and is in the audit log.
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(pattern_name="account"))),
    path("admin/", admin.site.urls),
    path("carriers/", include("calls.callbacks")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
handler400 = "temphone.api.envelope.handler400"
handler404 = "temphone.api.envelope.handler404"
handler500 = "temphone.api.envelope.handler500"
