"""Runnables that start and stop together.

A runnable has `start(stop)`, which blocks until it is done or `stop` is set. Each gets a thread. One that returns is
done; one that raises is reported.

Contract: MGR-02, MGR-05, MGR-07, THR-04, THR-08.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from k8srt.controller.failures import ShutdownTimeout
from k8srt.errors import K8srtError
from k8srt.util.clock import Clock
from k8srt.util.threads import Latch, Stop, spawn

log = logging.getLogger(__name__)


class Runnable(Protocol):
    """What a manager runs."""

    def start(self, stop: threading.Event) -> object: ...


class StoppedError(K8srtError):
    """Something was to be added to a manager, or a group of it, that is stopping or has stopped."""


class _Member(NamedTuple):
    runnable: Runnable
    thread: threading.Thread
    halt: Stop
    ended: Stop


class Group:
    """See the module. Thread-safe. `failed(runnable, error)` is called in the thread of the runnable."""

    def __init__(self, name: str, failed: Callable[[Any, BaseException], object], clock: Clock) -> None:
        self.name = name
        self.halt = Stop()
        self._failed = failed
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._waiting: list[Runnable] = []
        self._members: list[_Member] = []
        self._started = False
        self._stopped = False

    def add(self, runnable: Runnable) -> None:
        """Have it run with the group; at once if that runs. Raises StoppedError."""
        with self._lock:
            if self._stopped:
                raise StoppedError(f"{runnable!r} cannot be added: the {self.name} of the manager are stopping")
            if self._started:
                self._launch_locked(runnable)
            else:
                self._waiting.append(runnable)

    def start(self) -> bool:
        """Start everything that is there; False, and nothing done, if the group was stopped before. Does not wait."""
        with self._lock:
            if self._stopped:
                return False
            self._started = True
            waiting, self._waiting = self._waiting, []
            for runnable in waiting:
                self._launch_locked(runnable)
            return True

    def _launch_locked(self, runnable: Runnable) -> None:
        halt, ended = Stop(), Stop()
        thread = spawn(f"runnable-{_short_name(runnable)}", self._run, runnable, halt, ended)
        self._members.append(_Member(runnable, thread, halt, ended))

    def _run(self, runnable: Runnable, halt: Stop, ended: Stop) -> None:
        forget = self.halt.on_set(halt.set)
        try:
            runnable.start(halt)
        except BaseException as err:  # noqa: BLE001 - whatever it is, the manager ends over it
            self._failed(runnable, err)
        finally:
            forget()
            ended.set()

    def remove(self, runnable: Runnable, timeout: float | None = None) -> bool:
        """Have one runnable end, and wait for it, `timeout` seconds or without limit; it is no member then. Returns
        whether it was one. Raises ShutdownTimeout, with where it is, if it does not end; it is told to all the same."""
        with self._lock:
            if runnable in self._waiting:
                self._waiting.remove(runnable)
                return True
            member = next((each for each in self._members if each.runnable is runnable), None)
        if member is None:
            return False
        member.halt.set()
        if not self._clock.wait_event(member.ended, timeout):
            where = _stack(member.thread)
            raise ShutdownTimeout(
                f"{runnable!r} did not end within {timeout:g}s, in thread {member.thread.name}:\n{where}"
            )
        member.thread.join()
        with self._lock:
            self._members = [each for each in self._members if each is not member]
        return True

    def wait_ready(self, stop: Stop, timeout: float | None = None) -> list[str]:
        """Wait until every member there is now is up or has ended, at most so many seconds, or until `stop`.

        Returns what is still waited for. A member with a latch `ready` is up when that is set, one with
        `wait_for_sync(timeout, stop=)` when that says so, any other at once. Contract: MGR-03, MGR-19.
        """
        deadline = None if timeout is None else self._clock.now() + timeout
        with self._lock:
            members = list(self._members)
        return [_waited_for(member) for member in members if not self._is_up(member, stop, deadline)]

    def _is_up(self, member: _Member, stop: Stop, deadline: float | None) -> bool:
        left = None if deadline is None else max(deadline - self._clock.now(), 0.0)
        wake = Stop()
        ready = getattr(member.runnable, "ready", None)
        latch: list[Latch | Stop] = [ready] if isinstance(ready, Latch) else []
        sync = getattr(member.runnable, "wait_for_sync", None)
        forget = [each.on_set(wake.set) for each in (*latch, member.ended, stop)]
        try:
            if sync is not None:
                return bool(sync(left, stop=wake)) or member.ended.is_set()
            return not latch or self._clock.wait_event(wake, left)
        finally:
            for each in forget:
                each()

    def stop(self) -> None:
        """Tell every member to end, and start nothing more. Does not wait."""
        with self._lock:
            self._stopped = True
        self.halt.set()

    def join(self, deadline: float | None) -> list[str]:
        """Wait for every member until a moment of the clock, None for ever; returns those that did not end, each with
        where it is."""
        with self._lock:
            members = list(self._members)
        late = []
        for member in members:
            left = None if deadline is None else max(deadline - self._clock.now(), 0.0)
            if self._clock.wait_event(member.ended, left):
                member.thread.join()
            else:
                late.append(f"{member.runnable!r} in thread {member.thread.name}:\n{_stack(member.thread)}")
        return late

    def __repr__(self) -> str:
        with self._lock:
            state = "stopped" if self._stopped else "started" if self._started else "not started"
            return f"<Group {self.name}: {state}, {len(self._members) + len(self._waiting)} runnables>"


def _waited_for(member: _Member) -> str:
    """What to say of a member that is not up: for a cache, of which kinds and why."""
    unsynced = getattr(member.runnable, "unsynced", None)
    state = getattr(member.runnable, "debug_state", None)
    if unsynced is None or state is None:
        return repr(member.runnable)
    found = state()
    errors = {kind: (found.get(kind) or {}).get("last_error") for kind in unsynced()}
    return ", ".join(f"{kind} ({error})" if error else kind for kind, error in errors.items())


def group_of(runnable: Any) -> str:
    """The group of a manager that a runnable belongs to by what it is. Contract: MGR-02."""
    from k8srt.controller.cache.cache import Cache
    from k8srt.controller.cluster import Cluster
    from k8srt.controller.serving.server import HTTPServer

    needs_leading = getattr(runnable, "need_leader_election", True)
    if callable(needs_leading):
        needs_leading = needs_leading()
    if isinstance(runnable, HTTPServer):
        return "leader" if needs_leading else "http"
    if isinstance(runnable, (Cache, Cluster)):
        return "caches"
    return "leader" if needs_leading else "others"


def _short_name(runnable: Any) -> str:
    return str(getattr(runnable, "name", "") or type(runnable).__name__).lower()


def _stack(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)[-6:]) if frame is not None else "  (no stack)\n"


class FunctionRunnable:
    """A function of a stop as a runnable."""

    def __init__(self, function: Callable[[threading.Event], object], *, need_leader_election: bool = True) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", "function")
        self.need_leader_election = need_leader_election

    def start(self, stop: threading.Event) -> None:
        self.function(stop)

    def __repr__(self) -> str:
        return f"<runnable {self.name}>"
