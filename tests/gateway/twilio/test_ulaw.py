"""The telephone's coding."""

import struct
import warnings

import pytest

from temphone.gateway.legs.twilio import ulaw


def test_mu_law_is_the_standards():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audioop = pytest.importorskip("audioop")
    every = bytes(range(256))
    assert ulaw.decode(every) == audioop.ulaw2lin(every, 2)
    assert ulaw.decode(ulaw.encode(ulaw.decode(every))) == ulaw.decode(every)
    samples = struct.pack("<65536h", *range(-32_768, 32_768))
    ours = struct.unpack("<65536h", ulaw.decode(ulaw.encode(samples)))
    theirs = struct.unpack("<65536h", audioop.ulaw2lin(audioop.lin2ulaw(samples, 2), 2))
    # They round a negative sample away from zero now and then; ours is never further off than theirs.
    for sample, our, their in zip(range(-32_768, 32_768), ours, theirs, strict=True):
        assert abs(our - sample) <= abs(their - sample)
    assert ulaw.encode(bytes(2)) == bytes([ulaw.SILENCE])
