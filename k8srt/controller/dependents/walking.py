"""Going through a graph: each after those it waits for, independent ones at the same time.

The thread that walks takes what is free, as do helpers from an executor. So there is progress, if slower, when the
executor has no thread to spare.

Contract: DEP-03.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor


def walk(
    before: Mapping[str, Collection[str]], visit: Callable[[str], object], executor: Callable[[], Executor]
) -> None:
    """Call `visit` for each name once it has returned for all that come before it; others than those in the mapping
    do not count. Returns when all are done. Raises what `visit` raises, once every call has ended; the rest is then
    left out."""
    _Walk(before, visit, executor).run()


class _Walk:
    """See the module."""

    def __init__(
        self, before: Mapping[str, Collection[str]], visit: Callable[[str], object], executor: Callable[[], Executor]
    ) -> None:
        self._visit = visit
        self._executor = executor
        self._cond = threading.Condition()  # guards all below
        self._waiting = {name: {each for each in others if each in before} for name, others in before.items()}
        self._free: deque[str] = deque()
        self._busy = 0
        self._error: BaseException | None = None

    def run(self) -> None:
        self._call_for(self._free_more(()) - 1)
        while (name := self._next(patient=True)) is not None:
            self._do(name)
        if self._error is not None:
            raise self._error

    def _help(self) -> None:
        while (name := self._next(patient=False)) is not None:
            self._do(name)

    def _next(self, *, patient: bool) -> str | None:
        """Take one that is free; None when there is none, or for the `patient` when there will be none."""
        with self._cond:
            while not self._free:
                if not patient or not self._busy:
                    return None
                self._cond.wait()  # for calls that end with the reconcile
            self._busy += 1
            return self._free.popleft()

    def _do(self, name: str) -> None:
        try:
            self._visit(name)
        except BaseException as err:  # noqa: BLE001 - raised by `run`
            with self._cond:
                self._error = self._error or err
                self._waiting.clear()
                self._free.clear()
        self._call_for(self._free_more((name,)) - 1)  # this thread takes one itself

    def _free_more(self, done: Collection[str]) -> int:
        """Note what is done; returns how many are free because of that."""
        with self._cond:
            self._busy -= len(done)
            for others in self._waiting.values():
                others.difference_update(done)
            free = [name for name, others in self._waiting.items() if not others]
            for name in free:
                del self._waiting[name]
            self._free += free
            self._cond.notify_all()
            return len(free)

    def _call_for(self, helpers: int) -> None:
        for _ in range(helpers):
            self._executor().submit(self._help)
