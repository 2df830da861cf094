"""Importing people from files: what staff ask for, and what the worker then does, batch by batch."""
