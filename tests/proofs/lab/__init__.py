"""A laboratory: TemPhone's programs as forked processes, in which a trap can be set at any executed line.

One database and three roles. ``web`` is Django behind a small threaded server; ``gateway`` is the real
gateway with a real ledger and the phone's log; ``worker`` looks whether something is due, with the clock's
own bells, and runs the real tasks. The **nursery** has everything loaded, never opens a database and never
starts a thread; it forks the members, so a killed one is back within milliseconds. A **trap** counts the
lines that a member executes in our own modules, and kills or freezes it at the one it was set to. The
**traffic** makes calls whose callees are known beforehand, and the **judgement** compares what the phone
heard, and the webhooks' receiver, with what these callees should have. There are two more kinds of traffic:
**posting**, calls that a client asks for by the API, and **forgetting**, calls over a **line** that remembers
nothing when its gateway is killed.
"""
