"""How much may be uploaded: no form takes files for longer than the largest that is allowed."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

MOST_MB = 25
MOST_BYTES = MOST_MB * 1024 * 1024


class Bounded(FileUploadHandler):
    """Stops an upload that is larger, wherever it goes: a form is read before anybody asks who sends it."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, _start: int) -> bytes:
        """Hand it on to those who keep it."""
        self.received += len(raw_data)
        if self.received > MOST_BYTES:
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """It makes no file of its own."""
