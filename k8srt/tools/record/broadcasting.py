"""What the broadcasters of both kinds of events have in common: watches, and their end. Contract: EVT-06 to EVT-09.

What travels from the recorders to the watches is records, so that each gets an event of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.tools.record.delivery import Endings
from k8srt.tools.record.outbox import ROOM, Chore, Outbox
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import linked

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Object)

DRAIN = 5.0
"""Seconds that a shutdown waits for what is queued, unless told otherwise."""
GRACE = 1.0
"""Seconds that a thread has to end after it was told to leave everything."""


class LogFunction(Protocol):
    """A method of a logger: `log.info`."""

    def __call__(self, msg: str, /, *args: object) -> object: ...


class EventWatch:
    """Events on their way to a sink, a log or a handler. A context manager that stops it when left."""

    def __init__(self, outbox: Outbox[Record], endings: Endings, forget: Callable[[EventWatch], None]) -> None:
        self.outbox = outbox
        self._endings = endings
        self._forget = forget

    @property
    def dropped(self) -> int:
        """How many events found no room so far."""
        return self.outbox.dropped

    def stop(self) -> None:
        """No more events; those that wait are lost. From any thread, and twice is fine. Doesn't wait."""
        self.abandon()
        self._forget(self)

    def close(self) -> None:
        """Take no more events, and end the waits for a better time to write. For the broadcaster."""
        self.outbox.close()
        self._endings.closing.set()

    def abandon(self) -> int:
        """The same, and forget what waits and end what is under way; returns how many waited. For the broadcaster."""
        self._endings.stopped.set()
        lost = self.outbox.abandon()
        self._endings.closing.set()
        return lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<EventWatch {self.outbox!r}>"


class Broadcasting(Generic[E]):
    """Hands each event to all watches. Thread-safe; a context manager that shuts down when left.

    Setting `stop` ends it at once, without waiting for anything.
    """

    def __init__(self, cls: type[E], *, stop: threading.Event | None = None, clock: Clock = SYSTEM) -> None:
        self._cls = cls
        self._clock = clock
        self._lock = threading.RLock()  # guards the five below; re-entrant for the sake of signal handlers
        self._closed = False
        self._watches: list[EventWatch] = []
        self._ending: list[EventWatch] = []  # stopped, and perhaps not yet at their end
        self._dropped = 0
        self._complained = False
        self._links = ExitStack()
        if stop is not None:
            heard = self._links.enter_context(linked(stop))
            self._links.callback(heard.on_set(self._stop_at_once))

    # ---- events ---------------------------------------------------------------------------------------------------

    def start_event_watcher(self, handler: Callable[[E], object]) -> EventWatch:
        """Have `handler` called with each event from now on, in a thread of its own.

        The event is the handler's to keep and change. What it raises is logged. Raises RuntimeError after `shutdown`.
        """
        return self._watch("events-watch", handler)

    def tell(self, event: E) -> bool:
        """Hand an event to all watches; never blocks. False when one of them, or all, didn't get it.

        Raises WrongValue for an event that could not be sent.
        """
        record = event.to_record()
        with self._lock:
            closed, watches = self._closed, list(self._watches)
        if closed:
            self._complain(event)
            return False
        refused = sum(not watch.outbox.put(record) for watch in watches)
        if refused:
            with self._lock:
                self._dropped += 1
        return not refused

    def _complain(self, event: E) -> None:
        with self._lock:
            self._dropped += 1
            first, self._complained = not self._complained, True
        log.log(logging.WARNING if first else logging.DEBUG, "%r: dropped, the broadcaster was shut down", event)

    @property
    def dropped(self) -> int:
        """How many events were dropped, for want of room in some queue or since they came after the shutdown."""
        with self._lock:
            return self._dropped

    def _watch(
        self,
        what: str,
        handler: Callable[[E], object],
        endings: Endings | None = None,
        *,
        workers: int = 1,
        chores: Iterable[Chore] = (),
        last: Callable[[], object] | None = None,
    ) -> EventWatch:
        if not callable(handler):
            raise TypeError(f"a handler is a function of an event, not {handler!r}")

        def handle(record: Record) -> None:
            handler(self._cls.from_record(record))

        outbox = Outbox(what, handle, room=ROOM, workers=workers, chores=chores, last=last, clock=self._clock)
        watch = EventWatch(outbox, endings or Endings(), self._forget)
        with self._lock:
            if self._closed:
                raise RuntimeError("the broadcaster was shut down")
            self._watches.append(watch)
        return watch

    def _forget(self, watch: EventWatch) -> None:
        with self._lock:
            if watch in self._watches:
                self._watches.remove(watch)
                self._ending = [watch, *(other for other in self._ending if not other.outbox.ended)]

    # ---- the end --------------------------------------------------------------------------------------------------

    def flush(self, timeout: float | None = DRAIN) -> bool:
        """Wait until all events so far are where they go, at most `timeout` seconds; returns whether they are."""
        deadline = None if timeout is None else self._clock.now() + timeout
        with self._lock:
            watches = list(self._watches)
        return all(watch.outbox.flush(deadline) for watch in watches)

    def shutdown(self, timeout: float = DRAIN) -> None:
        """Take no more events, wait up to `timeout` seconds for those that are queued, and end all threads.

        Nothing waits for a server any more: what fails now is tried once more, and then lost. What isn't written
        in time is lost, and logged. Twice is fine. Contract: EVT-09.
        """
        deadline = self._clock.now() + timeout
        watches = self._take_no_more()
        for watch in watches:
            watch.close()
        if not all(watch.outbox.wait_for_end(deadline) for watch in watches):
            self._leave_the_rest(watches, timeout)
        self._links.close()

    def _leave_the_rest(self, watches: list[EventWatch], timeout: float) -> None:
        lost = sum(watch.abandon() for watch in watches)
        log.warning("events were not written within %.3gs of the shutdown; %d that waited are lost", timeout, lost)
        for watch in watches:
            if not watch.outbox.join(GRACE):
                log.error("%r: its handler doesn't return", watch)

    def _stop_at_once(self) -> None:
        """End without waiting for anything: what the stop of the construction does."""
        for watch in self._take_no_more():
            watch.abandon()

    def _take_no_more(self) -> list[EventWatch]:
        """Take no more events. Returns the watches that have to end."""
        with self._lock:
            self._closed = True
            return [*self._watches, *self._ending]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        with self._lock:
            state = "shut down" if self._closed else f"watches: {len(self._watches)}"
            return f"<{type(self).__name__} {state}, events dropped: {self._dropped}>"
