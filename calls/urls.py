from django.urls import path

from calls.views import details, lists, recordings, scheduling, stopping

urlpatterns = [
    path("calls/", lists.call_list, name="call-list"),
    path("calls/cancel/", lists.cancel_many, name="call-cancel-many"),
    path("calls/new/", scheduling.call_new, name="call-new"),
    path("calls/new/contact/", scheduling.contact_picker, name="call-new-contact"),
    path("calls/new/preview/", scheduling.call_preview, name="call-preview"),
    path("calls/<str:call_id>/", details.call_page, name="call"),
    path("calls/<str:call_id>/cancel/", details.call_cancel, name="call-cancel"),
    path("calls/<str:call_id>/move/", details.call_move, name="call-move"),
    path("calls/<str:call_id>/recording/<int:number>/", recordings.call_recording, name="call-recording"),
    path("stop/", stopping.stop, name="stop"),
]
