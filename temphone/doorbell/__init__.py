"""django-q2 as a doorbell: what rings the worker, and what the worker does when it rings."""
