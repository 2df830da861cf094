"""TemPhone: schedule AI phone calls as one schedules mail."""

__version__ = "0.1.0"
