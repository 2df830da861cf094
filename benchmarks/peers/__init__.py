"""What else starts work at an instant: task queues with delays, and a plain SQL claim.

Each does for a call what ours does to the state, in one statement: call, attempt, event, decision.
"""
