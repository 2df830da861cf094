from django.urls import path

from campaigns import views

urlpatterns = [
    path("agents/", views.agent_list, name="agent-list"),
    path("agents/new/", views.agent_new, name="agent-new"),
    path("agents/sound/", views.agent_sound, name="agent-sound"),
    path("agents/<str:agent_id>/", views.agent_edit, name="agent"),
    path("agents/<str:agent_id>/call/", views.agent_call, name="agent-call"),
    path("agents/<str:agent_id>/duplicate/", views.agent_duplicate, name="agent-duplicate"),
    path("agents/<str:agent_id>/default/", views.agent_default, name="agent-default"),
    path("agents/<str:agent_id>/archive/", views.agent_archive, name="agent-archive"),
]
