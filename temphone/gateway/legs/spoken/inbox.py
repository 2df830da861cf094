"""What the callee did, in the order in which they did it, until somebody asks for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from temphone.gateway.conversation.moves import Heard, Key, Over

T = TypeVar("T")


class Slot:
    """A place in the order; what was heard may become known later."""

    __slots__ = ("heard",)

    def __init__(self, heard: Heard | None = None) -> None:
        self.heard = heard


class Inbox:
    """What was heard and not taken yet. The end of the line comes after everything else, again and again."""

    def __init__(self) -> None:
        self._slots: deque[Slot] = deque()
        self._over: Over | None = None

    @property
    def pending(self) -> bool:
        """Whether something was begun of which is not known yet what it is."""
        return any(slot.heard is None for slot in self._slots)

    def put(self, heard: Heard) -> None:
        """Something was heard."""
        self._slots.append(Slot(heard))

    def reserve(self) -> Slot:
        """Something begins to be heard."""
        slot = Slot()
        self._slots.append(slot)
        return slot

    def settle(self, slot: Slot, heard: Heard | None) -> None:
        """It is known what it was; None: nothing."""
        slot.heard = heard
        if heard is None:
            self._slots.remove(slot)

    def close(self, over: Over) -> None:
        """Nothing will be heard any more, nor known of what was begun."""
        self._over = over
        self._slots = deque(slot for slot in self._slots if slot.heard is not None)

    def take(self) -> Heard | None:
        """The next, if it is known. A key overtakes speech that is still being understood."""
        if not self._slots:
            return self._over
        ready = (slot for slot in self._slots if slot is self._slots[0] or isinstance(slot.heard, Key))
        slot = next((slot for slot in ready if slot.heard is not None), None)
        if slot is None:
            return None
        self._slots.remove(slot)
        return slot.heard


class Watch:
    """Lets the conversation wait for what may change with every frame.

    The frames look for it, which is cheaper than to wake the conversation fifty times a second.
    """

    def __init__(self) -> None:
        self._looks: list[Callable[[], bool]] = []
        self._error: BaseException | None = None

    async def until(self, look: Callable[[], T | None]) -> T:
        """The first result that is not None. Raises what ``fail`` was told."""
        if self._error:
            raise self._error
        if (result := look()) is not None:
            return result
        found: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def tried() -> bool:
            if self._error and not found.done():
                found.set_exception(self._error)
            elif not found.done() and (result := look()) is not None:
                found.set_result(result)
            return found.done()

        self._looks.append(tried)
        return await found

    def fail(self, error: BaseException) -> None:
        """Nothing will change any more, because of this."""
        self._error = error
        self.changed()

    def changed(self) -> None:
        """Something has changed."""
        self._looks = [tried for tried in self._looks if not tried()]
