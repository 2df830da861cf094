from django.urls import path

from contacts.views import exports, imports, people

urlpatterns = [
    path("contacts/", people.contact_list, name="contact-list"),
    path("contacts/new/", people.contact_new, name="contact-new"),
    path("contacts/export/", exports.contact_export, name="contact-export"),
    path("contacts/import/", imports.import_list, name="import-list"),
    path("contacts/import/<str:import_id>/", imports.import_page, name="import"),
    path("contacts/import/<str:import_id>/columns/", imports.import_columns, name="import-columns"),
    path("contacts/import/<str:import_id>/start/", imports.import_start, name="import-start"),
    path("contacts/import/<str:import_id>/abandon/", imports.import_abandon, name="import-abandon"),
    path("contacts/import/<str:import_id>/undo/", imports.import_undo, name="import-undo"),
    path("contacts/import/<str:import_id>/problems/", imports.import_problems, name="import-problems"),
    path("contacts/<str:contact_id>/", people.contact_page, name="contact"),
    path("contacts/<str:contact_id>/decisions/", people.contact_decisions, name="contact-decisions"),
    path("contacts/<str:contact_id>/edit/", people.contact_edit, name="contact-edit"),
    path("contacts/<str:contact_id>/erase/", people.contact_erase, name="contact-erase"),
    path("contacts/<str:contact_id>/consents/new/", people.consent_add, name="consent-add"),
    path(
        "contacts/<str:contact_id>/consents/<int:consent_id>/revoke/",
        people.consent_revoke,
        name="consent-revoke",
    ),
    path("contacts/<str:contact_id>/suppress/", people.contact_suppress, name="contact-suppress"),
    path("contacts/<str:contact_id>/lift/<int:suppression_id>/", people.contact_lift, name="contact-lift"),
]
