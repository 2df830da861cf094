"""What ``make prove`` is made of: chunks, what is left of them, what came of them, the page about it."""
