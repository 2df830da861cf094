"""What is known of one call at its trunk: what the stack reports, and what its trace of messages tells."""

from baresip import Event, StackEvent

from temphone.gateway.legs.sip.wire import Received
from temphone.gateway.legs.waiting import Waiting

SUCCESS = range(200, 300)


class Progress(Waiting):
    """One call, as far as it is known. Nothing of it is ever taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.replied = False  # whatever came for the INVITE
        self.rings = False
        self.answered = False
        self.closed: str | None = None  # the stack's words
        self._final = 0  # the last answer to the INVITE
        self._referred = 0  # and to the REFER
        self._refer_ended = 0  # and what was told of it

    def report(self, event: StackEvent) -> None:
        """Take in what the stack reports."""
        match event.event:
            case Event.CALL_RINGING | Event.CALL_PROGRESS:
                self.rings = True
            case Event.CALL_ESTABLISHED:
                self.answered = True
        self.stir()

    def receive(self, received: Received) -> None:
        """Take in a message that came."""
        match received.method:
            case "INVITE":
                self.replied = True
                self._final = received.status if received.status >= SUCCESS.start else 0
            case "REFER":
                self._referred = received.status
            case "NOTIFY" if received.status >= SUCCESS.start:
                self._refer_ended = received.status
        self.stir()

    def close(self, text: str) -> None:
        """It is over, with these words."""
        self.closed = text
        self.stir()

    @property
    def was_heard_of(self) -> bool:
        """Whether anything at all came back."""
        return self.replied or self.rings

    @property
    def has_an_end(self) -> bool:
        """Whether the callee took it or not is known."""
        return bool(self._final) or self.answered

    @property
    def was_taken(self) -> bool:
        """Whether the callee answered, be it in the moment of the CANCEL."""
        return self.answered or self._final in SUCCESS

    @property
    def was_handed_over(self) -> bool:
        """Whether the peer took the REFER, and told nothing else of how it went."""
        return self._referred in SUCCESS and self._refer_ended < SUCCESS.stop
