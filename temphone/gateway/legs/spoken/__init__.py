"""A leg that speaks and listens by sound, over any line and with any engines."""
