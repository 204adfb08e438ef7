"""What a reconciler is given, and what it may answer.

A request says only *which* object; what is so now is for the reconciler to look up. It is hashable, and equal requests
in the queue are one.

Contract: REC-01, REC-03 to REC-05, RTY-01.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from k8srt.apimachinery.schema import NamespacedName
from k8srt.errors import K8srtError
from k8srt.tools.cache.keys import require_metadata


class Request(NamespacedName):
    """The namespace ("" for none) and the name of what is to be looked at. Prints as its key."""

    __slots__ = ()

    @classmethod
    def of(cls, obj: Any) -> Request:
        """The request for an object, record or metadata. Raises NoMetadata."""
        meta = require_metadata(obj)
        return cls(meta.namespace or "", meta.name or "")

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Result:
    """How a reconcile that did not fail ended; None is the same as `Result()`: done.

    `requeue_after` (seconds): look again then, and forget the failures so far. `requeue`: again as after a failure,
    with the same growing delay. `priority` is that of the next time; None keeps the one it was taken with.
    """

    requeue_after: float = 0.0
    requeue: bool = False
    priority: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.requeue_after < math.inf:
            raise ValueError(f"requeue_after: must be 0 or more seconds, not {self.requeue_after!r}")


class TerminalError(K8srtError):
    """Raised by a reconciler for what no retry can mend: it is reported, and left alone until something changes."""


class RetryAfter(K8srtError):
    """Raised by a reconciler that found nothing wrong, but nothing it could do yet: look again in `delay` seconds."""

    def __init__(self, delay: float, message: str = "") -> None:
        super().__init__(message or f"look again in {delay:g}s")
        self.result = Result(requeue_after=delay)

    def __reduce__(self) -> tuple[type[RetryAfter], tuple[float, str]]:
        return type(self), (self.result.requeue_after, str(self))


def is_terminal(err: BaseException) -> bool:
    """Whether an error is a TerminalError, was caused by one, or is a group that holds one. Contract: REC-03."""
    seen: set[int] = set()
    left: list[BaseException | None] = [err]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        if isinstance(each, TerminalError):
            return True
        seen.add(id(each))
        left += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
    return False
