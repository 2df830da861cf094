"""Django's SQLite backend, with its transactions in the order in which they were asked for."""
