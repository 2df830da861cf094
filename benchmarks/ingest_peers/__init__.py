"""What else takes in a call: FastAPI with asyncpg, and django-ninja with Django's ORM.

Each makes the same checks and writes the same four rows as TemPhone: pydantic reads the body, our own pure
functions judge it (numbers, zones, instants, addresses, the message's template, the gates). So what differs
is the framework and the way to the database. Neither limits the depth of the body's JSON, nor looks for NUL
characters or an Idempotency-Key, as TemPhone does.
"""
