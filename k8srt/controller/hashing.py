"""Predicates that remember a hash of what they saw last: for streams that do not tell the old object.

    field("spec", "image")                               # through when .spec.image is another one than last time
    generation().fallback(field("spec")).combine(labels())

They look at created and changed objects and at generic events alike; a deletion forgets the object and goes through.
Each object is known by namespace, name and uid; what was not seen for `ttl` seconds counts as never seen. An object of
which there is no value is always let through. Thread-safe. Contract: PRD-07.
"""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.controller.event import DeleteEvent, Event
from k8srt.controller.predicate import Predicate
from k8srt.util.clock import SYSTEM, Clock

TTL = 3600.0

ValueOf = Callable[[Any], Any]
_Place = tuple[str, str, str]


class HashPredicate(Predicate):
    """Lets an object through when the value of it is not what it was the last time; None is no value."""

    def __init__(self, value_of: ValueOf, *, ttl: float = TTL, clock: Clock = SYSTEM) -> None:
        if ttl <= 0.0:
            raise ValueError(f"ttl: more than 0 seconds, not {ttl!r}")
        self._value_of = value_of
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._seen: dict[_Place, tuple[bytes, float]] = {}
        self._swept = clock.now()

    def fallback(self, other: "HashPredicate") -> "HashPredicate":
        """Where this has no value, that of another counts."""

        def value_of(obj: Any) -> Any:
            mine = self._value_of(obj)
            return other._value_of(obj) if mine is None else mine

        return HashPredicate(value_of, ttl=self._ttl, clock=self._clock)

    def combine(self, other: "HashPredicate") -> "HashPredicate":
        """A change of either counts; there is no value where neither has one."""

        def value_of(obj: Any) -> Any:
            both = [self._value_of(obj), other._value_of(obj)]
            return None if both == [None, None] else both

        return HashPredicate(value_of, ttl=self._ttl, clock=self._clock)

    def accepts(self, event: Event) -> bool:
        obj = event.object
        meta = obj.metadata
        place = (meta.namespace or "", meta.name or "", meta.uid or "")
        now = self._clock.now()
        if isinstance(event, DeleteEvent):
            with self._lock:
                self._seen.pop(place, None)
            return True
        value = self._value_of(obj)
        if value is None:
            return True
        digest = hashlib.blake2b(msgspec.json.encode(value, order="sorted"), digest_size=16).digest()
        with self._lock:
            self._sweep_locked(now)
            known = self._seen.get(place)
            self._seen[place] = (digest, now)
        return known is None or known[0] != digest or now - known[1] > self._ttl

    def _sweep_locked(self, now: float) -> None:
        if now - self._swept > self._ttl:
            self._seen = {place: seen for place, seen in self._seen.items() if now - seen[1] <= self._ttl}
            self._swept = now

    def __len__(self) -> int:
        """How many objects are remembered."""
        with self._lock:
            return len(self._seen)


def generation(*, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """What is wanted has changed."""
    return HashPredicate(lambda obj: obj.metadata.generation or None, ttl=ttl, clock=clock)


def resource_version(*, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """Anything has changed."""
    return HashPredicate(lambda obj: obj.metadata.resource_version or None, ttl=ttl, clock=clock)


def labels(*, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """Labels have changed."""
    return HashPredicate(lambda obj: dict(obj.metadata.labels or {}) or None, ttl=ttl, clock=clock)


def annotations(*, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """Annotations have changed."""
    return HashPredicate(lambda obj: dict(obj.metadata.annotations or {}) or None, ttl=ttl, clock=clock)


def finalizers(*, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """Finalizers have changed."""
    return HashPredicate(lambda obj: sorted(obj.metadata.finalizers or ()) or None, ttl=ttl, clock=clock)


def field(*path: str, ttl: float = TTL, clock: Clock = SYSTEM) -> HashPredicate:
    """What is under a path of wire names has changed: `field("spec", "template")`. Raises ValueError without one."""
    if not path or not all(path):
        raise ValueError(f"a path of names is needed, not {path!r}")

    def value_of(obj: Any) -> Any:
        place: Any = obj.to_dict() if isinstance(obj, Object) else obj
        for name in path:
            place = place.get(name) if isinstance(place, dict) else None
        return place

    return HashPredicate(value_of, ttl=ttl, clock=clock)
