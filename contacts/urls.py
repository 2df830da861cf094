from django.urls import path

from contacts import views

urlpatterns = [
    path("contacts/", views.contact_list, name="contact-list"),
    path("contacts/new/", views.contact_new, name="contact-new"),
    path("contacts/<str:contact_id>/", views.contact_page, name="contact"),
    path("contacts/<str:contact_id>/edit/", views.contact_edit, name="contact-edit"),
    path("contacts/<str:contact_id>/consents/new/", views.consent_add, name="consent-add"),
    path(
        "contacts/<str:contact_id>/consents/<int:consent_id>/revoke/",
        views.consent_revoke,
        name="consent-revoke",
    ),
    path("contacts/<str:contact_id>/suppress/", views.contact_suppress, name="contact-suppress"),
    path("contacts/<str:contact_id>/lift/<int:suppression_id>/", views.contact_lift, name="contact-lift"),
]
