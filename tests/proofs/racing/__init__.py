"""Two at once: orders, requests, workers and what the carrier tells, each against the others."""
