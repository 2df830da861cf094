"""A carrier that goes wrong: in its answers, its events, what it is asked and told, and altogether."""
