from django.urls import path

from temphone.webhooks import views

urlpatterns = [
    path("setup/webhooks/", views.endpoint_list, name="webhook-list"),
    path("setup/webhooks/new/", views.endpoint_new, name="webhook-new"),
    path("setup/webhooks/log/", views.delivery_log, name="webhook-log"),
    path("setup/webhooks/log/resend/", views.resend_many, name="webhook-resend-many"),
    path("setup/webhooks/log/<int:delivery_id>/", views.delivery_page, name="webhook-delivery"),
    path("setup/webhooks/log/<int:delivery_id>/resend/", views.delivery_resend, name="webhook-resend"),
    path("setup/webhooks/<str:endpoint_id>/", views.endpoint_page, name="webhook"),
    path("setup/webhooks/<str:endpoint_id>/switch/", views.endpoint_switch, name="webhook-switch"),
    path("setup/webhooks/<str:endpoint_id>/secret/", views.endpoint_rotate, name="webhook-rotate"),
    path("setup/webhooks/<str:endpoint_id>/test/", views.endpoint_test, name="webhook-test"),
    path("setup/webhooks/<str:endpoint_id>/delete/", views.endpoint_delete, name="webhook-delete"),
]
