"""What is typed about staff, keys and one's own account."""
