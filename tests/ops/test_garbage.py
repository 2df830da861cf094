import subprocess
import sys

from django.conf import settings

READY = """
import gc
import temphone.wsgi
print(gc.get_freeze_count(), *gc.get_threshold())
"""


def test_the_web_program_leaves_what_it_has_loaded_to_no_collector():
    told = subprocess.run(
        [sys.executable, "-c", READY], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    ).stdout.split()
    # Some hundred thousand objects are the modules of Django and ours, the views among them.
    assert int(told[0]) > 100_000
    assert told[1:] == ["10000", "20", "20"]
