"""Engines of speech that vendors run, through Pipecat's clients of their interfaces, or the vendors' own.

All are asked over HTTP, one text or utterance at a time, without a pipeline. Whatever goes wrong is
SpeechFailed, in words without what was said: a vendor's answer may quote it.
"""

from loguru import logger

logger.disable("pipecat")  # its debug lines hold what is said
