from django.contrib import admin
from django.urls import include, path

from temphone import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("carriers/", include("calls.callbacks")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("v1/", include("temphone.api.urls")),
]
handler400 = "temphone.api.envelope.handler400"
handler404 = "temphone.api.envelope.handler404"
handler500 = "temphone.api.envelope.handler500"
