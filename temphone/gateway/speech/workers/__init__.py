"""Programs of their own that think for the gateway: a model each, one request at a time.

They are started by ``speech.pool`` and spoken to over standard input and output, as ``frames`` says.
"""
