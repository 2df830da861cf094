"""``make screenshots``: the pictures in README.md and docs/, of the demo at a moment that never changes."""
