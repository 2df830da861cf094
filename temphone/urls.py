from django.contrib import admin
from django.urls import include, path

from temphone import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("carriers/", include("calls.callbacks")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
