"""Connections to phones, of every network behind one interface (``base``)."""
