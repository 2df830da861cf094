"""The pages about staff: login, one's own account, API keys, team, audit log."""
