"""Campaigns, and the agents that speak in their calls."""

from campaigns.models.agents import Agent, AgentVersion, Engine, SpeakingMode
from campaigns.models.audience import Audience
from campaigns.models.campaign import Campaign

__all__ = ["Agent", "AgentVersion", "Audience", "Campaign", "Engine", "SpeakingMode"]
