"""Who speaks, by Silero's model, in this process: it takes a sixth of a millisecond every 32 ms."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from temphone.gateway.speech.ports import RATE_HZ

WINDOW, CONTEXT = 256, 32  # samples. Source: Silero, at 8 kHz
SPEECH, STILL_SPEECH = 0.5, 0.35  # Source: Silero's threshold, and its threshold to end
CLEAR_SILENCE = 0.1
# Silence and music leave the model's memory unable to hear what follows, so it is wiped every two seconds
# of them. Source: Pipecat's analyzer of the same model.
WIPE_AFTER = 2 * RATE_HZ // WINDOW
QUIET_BEFORE_WIPE = 5


def model_file() -> Path:
    """The model inside Pipecat's wheel, without importing that.

    Raises:
        ModuleNotFoundError: Pipecat is not installed.
    """
    spec = importlib.util.find_spec("pipecat")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("Pipecat is not installed", name="pipecat")
    return Path(spec.submodule_search_locations[0]) / "audio" / "vad" / "data" / "silero_vad.onnx"


class Silero:
    """The model, shared by all calls."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(model_file()), options, providers=["CPUExecutionProvider"]
        )

    def activity(self) -> "SileroActivity":
        """For one call."""
        return SileroActivity(self._session)


class SileroActivity:
    """What was heard of one call."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._rest = b""
        self._windows = self._quiet = 0
        self._speaks = False
        self._state: Any = None
        self._context: Any = None
        self._wipe()

    def feed(self, frame: bytes) -> bool:
        """Whether somebody speaks, as of this frame."""
        heard = self._rest + frame
        size = WINDOW * 2
        whole = len(heard) - len(heard) % size
        for start in range(0, whole, size):
            self._judge(self._probability(heard[start : start + size]))
        self._rest = heard[whole:]
        return self._speaks

    def _probability(self, window: bytes) -> float:
        samples = np.frombuffer(window, "<i2").astype(np.float32)[None, :] / 32768.0
        taken = np.concatenate([self._context, samples], axis=1)
        self._context = samples[:, -CONTEXT:]
        asked = {"input": taken, "state": self._state, "sr": np.array(RATE_HZ, np.int64)}
        found, self._state = self._session.run(None, asked)
        return float(found[0, 0])

    def _judge(self, probability: float) -> None:
        self._speaks = probability >= (STILL_SPEECH if self._speaks else SPEECH)
        self._windows += 1
        self._quiet = self._quiet + 1 if probability < CLEAR_SILENCE else 0
        if self._windows >= WIPE_AFTER and self._quiet >= QUIET_BEFORE_WIPE:
            self._wipe()

    def _wipe(self) -> None:
        self._windows = 0
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros((1, CONTEXT), np.float32)
