"""A resource client that answers what a test wrote down."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import RecordList, WatchRecord
from k8srt.util.clock import Clock
from tests.unit.rest.fakes import ImpatientClock
from tests.unit.tools.cache.scripted import Stream, pods


class ScriptedClient:
    """Lists and watches answer one after the other; what is left out is an empty list, and a watch that waits."""

    def __init__(
        self,
        lists: Sequence[Any] = (),
        watches: Sequence[Any] = (),
        *,
        cls: type[Any] = Pod,
        namespace: str = "default",
        clock: Clock | None = None,
    ) -> None:
        self.object_class = cls
        self.info = Pod.__info__
        self.clock = clock or ImpatientClock()
        self._rest = SimpleNamespace(clock=self.clock)
        self._namespace = namespace
        self._lists, self._watches = list(lists), list(watches)
        self._cond = threading.Condition()  # guards the lists below
        self.listed: list[dict[str, Any]] = []
        self.watched: list[dict[str, Any]] = []

    def list_records(self, **options: Any) -> RecordList:
        with self._cond:
            self.listed.append(options)
            answer = self._lists.pop(0) if self._lists else pods()
        return _answer(answer)

    def watch_records(self, **options: Any) -> Stream:
        with self._cond:
            self.watched.append(options)
            answer = self._watches.pop(0) if self._watches else Stream()
            self._cond.notify_all()
        return _answer(answer)

    def wait_for_watches(self, count: int) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: len(self.watched) >= count, 10.0)

    @property
    def list_versions(self) -> list[str]:
        return [options.get("resource_version", "") for options in self.listed]

    @property
    def watch_versions(self) -> list[str]:
        return [options["resource_version"] for options in self.watched]


def _answer(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer() if callable(answer) else answer


def ended(*batches: WatchRecord | Sequence[WatchRecord]) -> Stream:
    """A watch that brings these and ends."""
    return Stream(*batches, end=True)
