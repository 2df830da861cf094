"""What ``make prove`` is made of: chunks, what is left of them, the lines about them."""
