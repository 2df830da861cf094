"""Engines of speech that vendors run, through Pipecat's clients of their interfaces.

Of a service that asks over HTTP one method is called, without a pipeline; one that listens over a
WebSocket runs in a pipeline of its own. Whatever goes wrong is SpeechFailed, in words without what was
said: a vendor's answer may quote it.
"""

from loguru import logger

logger.disable("pipecat")  # its debug lines hold what is said
