"""The pages about campaigns, and the agents that speak in their calls."""
