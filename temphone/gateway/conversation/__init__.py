"""What the AI says next, and what the callee meant. Knows no network."""
