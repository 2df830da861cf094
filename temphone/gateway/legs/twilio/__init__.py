"""Calls over Twilio: created by its REST API, their media received over WebSocket."""
