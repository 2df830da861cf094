"""The gateway: a program of its own that carries calls. ``python -m temphone.gateway``.

The **ledger** (a SQLite file) knows every attempt that was ever asked for, and makes each ring at most
once. A dial is recorded before anything rings; a repeated one is answered from the record. What a call
does is an event, numbered per attempt by its **journal** and recorded too; the **writer** commits what
many calls have gathered at once. The **outbox** sends recorded events to Django until each is
acknowledged; the **pulse** tells Django every two seconds where this gateway is. The **switchboard**
starts a **call** for each accepted attempt and, after a restart, for each one left open. A call drives
one **leg** (a connection to a phone, of whatever network) by one **conversation** (a generator that
yields what to say and is sent what was heard; it knows neither line nor clock).

Of **trunks** Django tells in its answer to the pulse; they are kept beside the ledger. A network of phone
**lines** (sound both ways, keys, the end) has them ready, and legs that talk are made of its lines.

Ours that it imports: the port's messages and signing, nothing else. No Django.
"""
