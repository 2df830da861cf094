"""The carrier port: what TemPhone asks of a telephone network, and what it hears back. No Django."""
