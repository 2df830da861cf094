"""Small things that know nothing of the rest: ids, phone numbers, times, errors."""
