from django.urls import path

from campaigns.views import agents, building, lists, standing

urlpatterns = [
    path("campaigns/", lists.campaign_list, name="campaign-list"),
    path("campaigns/new/", building.campaign_new, name="campaign-new"),
    path("campaigns/new/people/", building.campaign_people, name="campaign-people"),
    path("campaigns/new/sound/", building.campaign_sound, name="campaign-sound"),
    path("campaigns/new/preview/", building.campaign_preview, name="campaign-preview"),
    path("campaigns/<str:campaign_id>/", standing.campaign_page, name="campaign"),
    path("campaigns/<str:campaign_id>/edit/", building.campaign_edit, name="campaign-edit"),
    path("campaigns/<str:campaign_id>/launch/", building.campaign_launch, name="campaign-launch"),
    path("campaigns/<str:campaign_id>/pause/", standing.campaign_turn, {"turn": "pause"}, "campaign-pause"),
    path(
        "campaigns/<str:campaign_id>/resume/", standing.campaign_turn, {"turn": "resume"}, "campaign-resume"
    ),
    path(
        "campaigns/<str:campaign_id>/let-on/", standing.campaign_turn, {"turn": "let_on"}, "campaign-let-on"
    ),
    path(
        "campaigns/<str:campaign_id>/cancel/", standing.campaign_turn, {"turn": "cancel"}, "campaign-cancel"
    ),
    path("agents/", agents.agent_list, name="agent-list"),
    path("agents/new/", agents.agent_new, name="agent-new"),
    path("agents/sound/", agents.agent_sound, name="agent-sound"),
    path("agents/<str:agent_id>/", agents.agent_edit, name="agent"),
    path("agents/<str:agent_id>/call/", agents.agent_call, name="agent-call"),
    path("agents/<str:agent_id>/duplicate/", agents.agent_duplicate, name="agent-duplicate"),
    path("agents/<str:agent_id>/default/", agents.agent_default, name="agent-default"),
    path("agents/<str:agent_id>/archive/", agents.agent_archive, name="agent-archive"),
]
