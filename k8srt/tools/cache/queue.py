"""The door between what fills a queue of changes and what empties it.

A reflector writes with `extend`, `replace` and `resync`; a controller takes out with `pop_batch`. `DeltaFIFO` and
`RealFIFO` stand behind this door; which of them it is makes no difference to either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from k8srt.tools.cache.delta import Delta, Deltas
from k8srt.tools.cache.forms import Form, Transform
from k8srt.util.threads import Latch

BATCH_SIZE = 1000
"""At most so many changes are taken out at once. Contract: CACHE-56."""


class KnownObjects(Protocol):
    """What the consumer of a queue has already; a `Store` is one."""

    def list_keys(self) -> list[str]: ...
    def get_by_key(self, key: str) -> Any: ...


class Pending(NamedTuple):
    """The changes of one key in one piece, kept things not thawed."""

    key: str
    deltas: Deltas


Process = Callable[[Deltas, bool], object]
"""What `pop` calls: the changes of one key, and whether they belong to the initial list."""

ProcessBatch = Callable[[Sequence[Pending], bool], object]


class Queue(Protocol):
    """A queue of changes. Thread-safe; one consumer."""

    synced: Latch
    name: str
    form: Form[Any]

    def add(self, obj: Any) -> None: ...
    def update(self, obj: Any) -> None: ...
    def delete(self, obj: Any) -> None: ...

    def extend(self, changes: Sequence[Delta]) -> Sequence[tuple[Any, Exception]]:
        """Add, update and delete in one go; returns what had no effect, and why."""

    def replace(self, items: Iterable[Any], resource_version: str = "", *, transformed: bool = False) -> None: ...
    def resync(self) -> None: ...

    def bookmark(self, resource_version: str) -> None: ...

    def pop(self, process: Process) -> Deltas:
        """Wait for the next changes and process them. Raises QueueClosed, and what `process` raises."""

    def pop_batch(self, process: ProcessBatch, limit: int = BATCH_SIZE) -> int:
        """Wait, and process whatever has come meanwhile; returns how many keys. Raises as `pop`."""

    def close(self) -> None: ...
    def has_synced(self) -> bool: ...
    def transformer(self) -> Transform | None: ...
    def debug_state(self) -> Mapping[str, Any]: ...
    def __len__(self) -> int: ...
