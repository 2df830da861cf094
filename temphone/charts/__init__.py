"""Charts that the server draws: what they show, and where it goes. Plain Python."""
