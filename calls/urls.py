from django.urls import path

from calls.views import calendar, details, lists, numbers, overview, recordings, scheduling, stopping, trunks

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calls/", lists.call_list, name="call-list"),
    path("calls/cancel/", lists.cancel_many, name="call-cancel-many"),
    path("calls/new/", scheduling.call_new, name="call-new"),
    path("calls/new/contact/", scheduling.contact_picker, name="call-new-contact"),
    path("calls/new/preview/", scheduling.call_preview, name="call-preview"),
    path("calls/new/own/", scheduling.call_own, name="call-own"),
    path("calls/new/sound/", scheduling.call_sound, name="call-sound"),
    path("calls/<str:call_id>/", details.call_page, name="call"),
    path("calls/<str:call_id>/cancel/", details.call_cancel, name="call-cancel"),
    path("calls/<str:call_id>/move/", details.call_move, name="call-move"),
    path("calls/<str:call_id>/recording/<int:number>/", recordings.call_recording, name="call-recording"),
    path("stop/", stopping.stop, name="stop"),
    path("setup/trunks/", trunks.trunk_list, name="trunk-list"),
    path("setup/trunks/new/", trunks.trunk_new, name="trunk-new"),
    path("setup/trunks/<str:trunk_id>/", trunks.trunk_page, name="trunk"),
    path("setup/trunks/<str:trunk_id>/switch/", trunks.trunk_switch, name="trunk-switch"),
    path("setup/trunks/<str:trunk_id>/delete/", trunks.trunk_delete, name="trunk-delete"),
    path("setup/numbers/new/", numbers.number_new, name="number-new"),
    path("setup/numbers/<str:number_id>/", numbers.number_page, name="number"),
    path("setup/numbers/<str:number_id>/default/", numbers.number_default, name="number-default"),
    path("setup/numbers/<str:number_id>/remove/", numbers.number_remove, name="number-remove"),
]
