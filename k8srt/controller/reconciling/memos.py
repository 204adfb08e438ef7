"""What reconciles remember of an object: a dict that is there as long as the object is.

It goes by the uid, so an object that was deleted and made again begins with an empty one. Whether objects are still
there is looked up after a reconcile of a key that has one, and of all of them now and then.

Contract: CTX-02.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from k8srt.controller.request import Request

_FEW = 64

UidOf = Callable[[Request], str | None]


class Memos:
    """See the module. Thread-safe. `uid_of` gives the uid of the object of a request, None if it is not there."""

    def __init__(self, uid_of: UidOf) -> None:
        self._uid_of = uid_of
        self._lock = threading.Lock()  # guards all below
        self._kept: dict[Request, tuple[str, dict[Any, Any]]] = {}
        self._clear_at = _FEW

    def of(self, request: Request) -> dict[Any, Any]:
        """The dict of an object; one that is not kept if there is no such object."""
        uid = self._uid_of(request)
        with self._lock:
            kept = self._kept.get(request)
            if kept is not None and uid in (None, kept[0]):  # what is being deleted still has it
                return kept[1]
            memo: dict[Any, Any] = {}
            if uid is not None:
                self._kept[request] = (uid, memo)
            return memo

    def ended(self, request: Request, busy: Collection[Request] = ()) -> None:
        """A reconcile of this has ended: if the object is gone, so is its dict. `busy` are those that still run."""
        with self._lock:
            if request not in self._kept:
                return
            many = len(self._kept) >= self._clear_at
            looked_at = [each for each in self._kept if each not in busy] if many else [request]
        gone = [each for each in looked_at if self._uid_of(each) is None]
        with self._lock:
            for each in gone:
                self._kept.pop(each, None)
            if many:
                self._clear_at = max(2 * len(self._kept), _FEW)

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)
