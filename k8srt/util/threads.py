"""Threads with names, facts that come true once, and stops that can be heard.

- `spawn` starts a daemon thread called `k8srt-<what>-<n>` whose errors are logged.
- `Latch` is a fact that becomes true once: `synced`, `started`.
- `Stop` is a `threading.Event` that also calls back when it is set, so that a thread blocked in a read can be
  woken by shutting its socket down; `linked` gives one for any plain event.

Callbacks run in the thread that sets, outside every lock, once. They must not block: the one who sets waits for them.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

log = logging.getLogger(__name__)

Callback = Callable[[], object]


class _Names:
    """The lowest number that no living thread of the same name has."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards _taken; re-entrant for the sake of signal handlers
        self._taken: dict[str, set[int]] = {}

    def take(self, what: str) -> int:
        with self._lock:
            taken = self._taken.setdefault(what, set())
            number = next(n for n in itertools.count() if n not in taken)
            taken.add(number)
            return number

    def give_back(self, what: str, number: int) -> None:
        with self._lock:
            taken = self._taken[what]
            taken.discard(number)
            if not taken:
                del self._taken[what]


_names = _Names()


def spawn(what: str, target: Callable[..., object], *args: Any) -> threading.Thread:
    """Start and return a daemon thread named `k8srt-<what>-<n>` that runs `target(*args)`.

    `what` is a role, or a role and what it is about: `reflector-pods`. An exception that ends the thread is logged
    as an error. Whoever spawns a thread joins it. Thread-safe.
    """
    number = _names.take(what)
    thread = threading.Thread(
        target=_body, args=(what, number, target, args), name=f"k8srt-{what}-{number}", daemon=True
    )
    try:
        thread.start()
    except BaseException:
        _names.give_back(what, number)
        raise
    return thread


def _body(what: str, number: int, target: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        target(*args)
    except Exception:
        log.exception("thread %s was ended by an error", threading.current_thread().name)
    finally:
        _names.give_back(what, number)


class Stop(threading.Event):
    """A stop event that can be listened to. It is set once and stays set.

    It goes wherever a `threading.Event` is asked for. Thread-safe; `set` may be called from a signal handler.
    """

    def __init__(self) -> None:
        super().__init__()
        self._callbacks_lock = threading.RLock()  # guards _callbacks; re-entrant for the sake of signal handlers
        self._callbacks: dict[object, Callback] = {}

    def set(self) -> None:
        """Set it and run the callbacks, in the order they were given. Again is fine and does nothing."""
        super().set()
        with self._callbacks_lock:
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            _call(callback)

    def on_set(self, callback: Callback) -> Callable[[], None]:
        """Have `callback` called once when this is set, at once if it is already.

        Returns a function that takes the subscription back; it may be called at any time, more than once, and does
        not wait for a callback that is running.
        """
        token = object()

        def unsubscribe() -> None:
            with self._callbacks_lock:
                self._callbacks.pop(token, None)

        with self._callbacks_lock:
            self._callbacks[token] = callback
        if self.is_set():  # whoever takes the callback out of the map is the one who calls it
            with self._callbacks_lock:
                mine = self._callbacks.pop(token, None)
            if mine is not None:
                _call(mine)
        return unsubscribe

    def clear(self) -> NoReturn:
        """Not possible: what was told to stop has stopped."""
        raise RuntimeError("a Stop cannot be cleared")


def _call(callback: Callback) -> None:
    try:
        callback()
    except Exception:
        log.exception("callback %r failed", callback)


class Latch:
    """A fact that becomes true once and stays true. Thread-safe."""

    def __init__(self) -> None:
        self._event = Stop()

    def set(self) -> None:
        """Make it true, wake all who wait and run the callbacks."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it is true."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is true, at most `timeout` seconds; returns whether it is. None waits for ever."""
        return self._event.wait(timeout)

    def on_set(self, callback: Callback) -> Callable[[], None]:
        """Have `callback` called once when it becomes true, at once if it is. Returns a function that undoes this."""
        return self._event.on_set(callback)

    def __repr__(self) -> str:
        return f"<Latch {'set' if self.is_set() else 'unset'}>"


@contextmanager
def linked(stop: threading.Event) -> Iterator[Stop]:
    """Within the context, a `Stop` that is set when `stop` is: `stop` itself if it is a Stop already.

    For a plain event a thread waits and forwards; it has ended when the context is left. Setting what is yielded
    sets `stop` only if they are the same object, so callers set their own stops and leave this one alone.
    """
    if isinstance(stop, Stop):
        yield stop
        return
    forwarder = _Forwarder(stop)
    try:
        yield forwarder.stop
    finally:
        forwarder.close()


class Gate:
    """A place among those who wait on a condition, which can also be opened alone. Made with the condition held.

    `Condition.notify` opens the gates of whoever came first, and `Event.wait` takes any waking for the event being
    set. To wake one certain thread, and to wake nobody else for nothing, this stands in the line as
    `Condition.wait` does: with a lock in the condition's list of waiters.
    """

    def __init__(self, cond: threading.Condition) -> None:
        self._cond = cast(Any, cond)  # the list and the two methods used below have no public name
        self._lock = threading.Lock()
        self._lock.acquire()
        self._cond._waiters.append(self._lock)

    def wait(self) -> None:
        """With the condition held: let go of it until notified or opened, also if that happened before."""
        saved = self._cond._release_save()
        try:
            self._lock.acquire()
        finally:
            self._cond._acquire_restore(saved)
            self.open()

    def open(self) -> bool:
        """With the condition held: wake who waits here; False if a notification was faster."""
        if self._lock not in self._cond._waiters:
            return False
        self._cond._waiters.remove(self._lock)
        self._lock.release()
        return True


class _Forwarder:
    """Sets a Stop when a plain event is set, and can be called off."""

    def __init__(self, event: threading.Event) -> None:
        self.stop = Stop()
        self._cond: threading.Condition = event._cond  # type: ignore[attr-defined]
        self._closed = False  # guarded by _cond
        with self._cond:
            self._gate = None if event.is_set() else Gate(self._cond)
        self._thread = None
        if self._gate is None:
            self.stop.set()
        else:
            self._thread = spawn("stop", self._run, self._gate)

    def _run(self, gate: Gate) -> None:
        with self._cond:
            gate.wait()
            closed = self._closed
        if not closed:
            self.stop.set()

    def close(self) -> None:
        with self._cond:
            if self._gate is not None and self._gate.open():
                self._closed = True
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
