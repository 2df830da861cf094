"""What the AI says next. Knows no network."""
