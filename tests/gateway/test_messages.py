"""What crosses the wire is understood by many threads at once, from the first message on."""

import subprocess
import sys

FIRST_MESSAGES = """
import importlib, sys, threading
from datetime import UTC, datetime
from temphone.telephony import messages

sys.setswitchinterval(1e-6)
for _ in range(40):
    messages = importlib.reload(messages)  # as if the process had just begun: every type is new
    event = messages.CarrierEvent(
        attempt_id="a", sequence=1, type=messages.EventType.RINGING, at=datetime.now(UTC)
    )
    body = messages.encode(messages.Events(ledger="l", events=[event]))
    barrier, understood = threading.Barrier(8), []

    def decode():
        barrier.wait()
        understood.append(messages.decode(body, messages.Events).events)

    threads = [threading.Thread(target=decode) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert understood == [[event]] * 8
"""


def test_the_first_messages_of_a_process_may_come_at_once():
    done = subprocess.run([sys.executable, "-c", FIRST_MESSAGES], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
