"""``python -m tests.proofs.stage.listening_gateway``: the gateway, with the tests' own ear at its network."""

import os
import sys
from pathlib import Path

from temphone.gateway.__main__ import main
from tests.proofs.stage import ear

if __name__ == "__main__":
    folder = Path(os.environ["TEMPHONE_DATA_DIR"])
    ear.listen(folder / ear.HEARD)
    ear.listen_for_what_is_silenced(folder / ear.SILENCED)
    sys.exit(main())
