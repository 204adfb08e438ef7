"""One thing that goes wrong: which requests it is about, how often it strikes, and what it does to them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypedDict

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.requests import RequestInfo

Verbs = str | Iterable[str]
Resource = type[Object] | GroupVersionResource | str

_VERBS = ("get", "list", "watch", "create", "update", "patch", "apply", "delete", "deletecollection", "*")


class Owner(Protocol):
    """What a fault needs of the set it belongs to."""

    changed: threading.Condition  # guards the counts of faults

    def remove(self, fault: Fault) -> None: ...
    def spent_locked(self, fault: Fault) -> None: ...
    def sleep(self, seconds: float, fault: Fault) -> None: ...


class Limits(TypedDict, total=False):
    """Which of the requests for a verb and a resource a fault is about; see the module."""

    namespace: str
    name: str
    agent: str
    times: int | None
    skip: int
    chance: float


@dataclass(frozen=True, slots=True)
class Where:
    """Which requests a fault is about."""

    verbs: frozenset[str]
    resource: str
    namespace: str = ""
    name: str = ""
    agent: str = ""

    def matches(self, request: Request, info: RequestInfo) -> bool:
        verbs = self.verbs
        if "*" not in verbs and info.verb not in verbs and not ("apply" in verbs and _is_apply(request, info)):
            return False
        if self.namespace not in ("", info.namespace) or self.name not in ("", info.name):
            return False
        if self.agent and self.agent not in request.header("user-agent"):
            return False
        if not info.is_resource or self.resource.startswith("/"):
            return _is_path(self.resource, request.path)
        plural, _, subresource = self.resource.partition("/")
        if subresource not in ("", "*", info.subresource) or (subresource == "*" and not info.subresource):
            return False
        return plural in ("*", info.resource, f"{info.resource}.{info.group}")

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in ("|".join(sorted(self.verbs)), self.resource, place, self.agent) if part)


def _is_apply(request: Request, info: RequestInfo) -> bool:
    return info.verb == "patch" and "apply-patch" in request.header("content-type")


def _is_path(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") and pattern != "*" else path == pattern


class Fault:
    """One thing that goes wrong. A context manager, at whose end it is removed. Thread-safe."""

    def __init__(self, faults: Owner, what: str, where: Where, limits: Limits, rng: random.Random) -> None:
        self._faults = faults
        self._what = what
        self._where = where
        self._times = limits.get("times")
        self._skip = limits.get("skip", 0)
        self._chance = limits.get("chance", 1.0)
        self._rng = rng
        self._seen = self._count = 0
        self.removed = False  # set under the set's lock

    @property
    def count(self) -> int:
        """How many requests or watches it has hit."""
        with self._faults.changed:
            return self._count

    @property
    def seen(self) -> int:
        """How many requests it was about, hit or not."""
        with self._faults.changed:
            return self._seen

    @property
    def active(self) -> bool:
        """Whether it may still hit something."""
        with self._faults.changed:
            return not (self.removed or self.is_spent_locked())

    def wait_for(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until it has hit so many; returns whether it has within `timeout` seconds."""
        with self._faults.changed:
            return self._faults.changed.wait_for(lambda: self._count >= count, timeout)

    def remove(self) -> None:
        """End it: what is delayed goes on, what is stalled is sent. Twice is fine."""
        self._faults.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        left = "" if self._times is None else f" of {self._times}"
        return f"<{self._what} {self._where}: {self.count}{left}>"

    # ---- for this module

    def is_about(self, request: Request, info: RequestInfo) -> bool:
        return self._where.matches(request, info)

    def hits_locked(self) -> bool:
        """Whether a request that it is about is hit; counts it."""
        if self.removed or self.is_spent_locked():
            return False
        self._seen += 1
        if self._seen <= self._skip or (self._chance < 1.0 and self._rng.random() >= self._chance):
            return False
        self._count += 1
        if self.is_spent_locked():
            self._faults.spent_locked(self)
        self._faults.changed.notify_all()
        return True

    def is_spent_locked(self) -> bool:
        return self._times is not None and self._count >= self._times

    def before(self, request: Request, info: RequestInfo) -> Response | None:
        """What is answered in the place of the server. Raises Failure and Hangup."""
        return None

    def afterwards(self, request: Request, info: RequestInfo) -> Response | None:
        """What is answered instead of the server's answer, after the request has been served."""
        return None


class Fail(Fault):
    """An answer that is a failure."""

    make: Callable[[Request, RequestInfo], Response]
    applied = False
    only: Callable[[Request, RequestInfo], bool] | None = None

    def is_about(self, request: Request, info: RequestInfo) -> bool:
        return super().is_about(request, info) and (self.only is None or self.only(request, info))

    def before(self, request: Request, info: RequestInfo) -> Response | None:
        return None if self.applied else self.make(request, info)

    def afterwards(self, request: Request, info: RequestInfo) -> Response | None:
        return self.make(request, info) if self.applied else None


class Delay(Fault):
    """An answer that is late."""

    seconds = jitter = 0.0

    def before(self, request: Request, info: RequestInfo) -> Response | None:
        with self._faults.changed:
            seconds = self.seconds + self.jitter * self._rng.random()
        self._faults.sleep(seconds, self)
        return None


class Disturbance(Fault):
    """Watches that end, or fall silent, after some events. It counts watches."""

    events = 0
    stalls = abruptly = False


def verbs_of(verb: Verbs) -> frozenset[str]:
    listed = [verb] if isinstance(verb, str) else list(verb)
    found = frozenset(each.replace("-", "").replace("_", "").lower() for each in listed)
    if unknown := sorted(found - set(_VERBS)):
        raise ValueError(f"verb: {unknown[0]!r} is none of {', '.join(_VERBS)}")
    if not found:
        raise ValueError("verb: there is none")
    return found


def named(resource: Resource) -> str:
    if isinstance(resource, str):
        if not resource:
            raise ValueError('resource: is empty; all are "*"')
        return resource
    if isinstance(resource, GroupVersionResource):
        return f"{resource.resource}.{resource.group}" if resource.group else resource.resource
    info = resource.__info__
    if info is None or not info.resource:
        raise ValueError(f"{resource.__name__} is not served as a resource")
    return named(info.gvr)


def check_limits(limits: Limits) -> None:
    times = limits.get("times")
    if times is not None and times < 1:
        raise ValueError(f"times: {times} is not positive")
    if limits.get("skip", 0) < 0:
        raise ValueError("skip: is negative")
    if not 0.0 <= limits.get("chance", 1.0) <= 1.0:
        raise ValueError("chance: lies between 0 and 1")


def number_of_events(events: int) -> int:
    if events < 0:
        raise ValueError(f"events: {events} is negative")
    return events
