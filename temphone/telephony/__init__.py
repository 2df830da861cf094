"""What Django and the gateway share of telephone calls. No Django.

The carrier port: what TemPhone asks of a telephone network, and what it hears back; and what people mean by
what they say on the phone.
"""
