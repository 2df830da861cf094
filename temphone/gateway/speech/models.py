"""Which Whisper model a folder holds, by the checksum of its weights."""

import hashlib
from pathlib import Path

# Source: the published conversions Systran/faster-whisper-NAME, model.bin.
PUBLISHED = {
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a": "tiny.en",
    "2a166925539a16005f14ff328359f9b9adb9dc4fb631bb3b227526862e93e2ef": "base.en",
    "62b2a45b05ee59acb4a5341b33ee35e041395d378d418a18acfe4c9e768ee37a": "small.en",
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9": "base",
    "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671": "small",
}


def checksum(folder: Path) -> str:
    """The SHA-256 of the model's weights."""
    with (folder / "model.bin").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
