"""Waiting for what comes true by itself, and comparing objects without what servers fill in.

    eventually(lambda: cs.apps_v1.deployments("shop").get("web").status.ready_replicas == 3)
    consistently(lambda: cs.core_v1.pods("shop").list().items == [], duration=0.5)

    objects = Objects(cs)
    objects.update(web, lambda web: setattr(web.spec, "replicas", 3))
    assert objects.get(web) == equal_object(wanted, ignore=["status"])

Contract: ETE-09.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.errors import K8srtError, NotFound
from k8srt.util import retry
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

R = TypeVar("R")
T = TypeVar("T", bound=Object)
Mutate = Callable[[T], object]

TIMEOUT = 10.0
INTERVAL = 0.05
AUTOMATIC = (
    "metadata.uid",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.resourceVersion",
    "metadata.managedFields",
    "metadata.deletionGracePeriodSeconds",
    "metadata.deletionTimestamp",
    "metadata.selfLink",
    "metadata.generateName",
)
"""What servers set, and `equal_object` does not look at."""

Path = str | Sequence[str]
_ABSENT = "<absent>"


def eventually(
    fn: Callable[[], R],
    *,
    timeout: float = TIMEOUT,
    interval: float = INTERVAL,
    stop: Stop | None = None,
    clock: Clock = SYSTEM,
) -> R:
    """Call `fn` every `interval` seconds until it passes, and return what it returned.

    It passes when it returns None, as a function of assertions does, or anything true. AssertionError, LookupError,
    AttributeError and what the library raises mean "not yet". Raises AssertionError with the last reason after
    `timeout` seconds, or when `stop` is set; anything else that `fn` raises comes through at once.
    """
    ended = stop or Stop()
    deadline = clock.now() + timeout
    while True:
        try:
            value = fn()
        except (AssertionError, LookupError, AttributeError, K8srtError) as err:
            last: BaseException | None = err
            why = f"{type(err).__name__}: {err}"
        else:
            if value is None or value:
                return value
            last, why = None, f"it returned {value!r}"
        left = deadline - clock.now()
        if left <= 0.0 or ended.is_set():
            when = f"within {timeout:g}s" if left <= 0.0 else "before the stop"
            raise AssertionError(f"{_name(fn)} did not pass {when}; the last time: {why}") from last
        clock.wait_event(ended, min(interval, left))


def consistently(
    fn: Callable[[], object], *, duration: float = 1.0, interval: float = INTERVAL, clock: Clock = SYSTEM
) -> None:
    """Call `fn` every `interval` seconds for `duration` seconds. Raises AssertionError as soon as it returns something
    false but None, and whatever it raises."""
    pause = Stop()
    deadline = clock.now() + duration
    while True:
        value = fn()
        if value is not None and not value:
            raise AssertionError(f"{_name(fn)} returned {value!r}")
        left = deadline - clock.now()
        if left <= 0.0:
            return
        clock.wait_event(pause, min(interval, left))


def _name(fn: Callable[..., object]) -> str:
    return str(getattr(fn, "__qualname__", repr(fn)))


class Objects:
    """What tests do with objects over and over. An object given is only looked at for its kind and name. Thread-safe.

    `clientset` is anything with `resource(kind, namespace)`: a clientset, a fake.
    """

    def __init__(self, clientset: Any) -> None:
        self._clientset = clientset

    def get(self, obj: T) -> T:
        """The object as it is on the server. Raises NotFound."""
        found: T = self._client(obj).get(_name_of(obj))
        return found

    def object(self, obj: T) -> T | None:
        """The object as it is on the server, or None."""
        try:
            return self.get(obj)
        except NotFound:
            return None

    def list(self, kind: type[T], namespace: str = "", **options: Any) -> builtins.list[T]:
        """All objects of a kind, of one namespace if one is given; other keywords as for `list` of a client."""
        return builtins.list(self._clientset.resource(kind, namespace).list(**options))

    def update(self, obj: T, mutate: Mutate[T]) -> T:
        """Have `mutate` change the object as it is on the server, and write it; again if somebody was faster."""
        return self._change(obj, mutate, "update")

    def update_status(self, obj: T, mutate: Mutate[T]) -> T:
        """The same for its status."""
        return self._change(obj, mutate, "update_status")

    def _change(self, obj: T, mutate: Mutate[T], verb: str) -> T:
        def once() -> T:
            found = self.get(obj)
            mutate(found)
            written: T = getattr(self._client(obj), verb)(found)
            return written

        return retry.on_conflict(once)

    def _client(self, obj: Object) -> Any:
        which: Any = type(obj)
        if type(obj).__info__ is None:  # it says itself what it is
            which = GroupVersionKind.of(obj.api_version, obj.kind)
        return self._clientset.resource(which, getattr(_metadata(obj), "namespace", None) or "")

    def __repr__(self) -> str:
        return f"<Objects of {self._clientset!r}>"


def _metadata(obj: Object) -> Any:
    return getattr(obj, "metadata", None)


def _name_of(obj: Object) -> str:
    return str(_metadata(obj).name)


# ---- comparing ----------------------------------------------------------------------------------------------------


class EqualObject:
    """Equal to every object that says the same; see `equal_object`. Its repr tells the last difference."""

    def __init__(self, expected: Object | Mapping[str, Any], ignore: Iterable[Path]) -> None:
        self._ignored = [_parts(path) for path in (*AUTOMATIC, *ignore)]
        self._expected = self._plain(expected)
        self._told: list[str] = []

    def differences(self, actual: Object | Mapping[str, Any]) -> list[str]:
        """One line for each field that is not as expected: `spec.replicas: 2, expected 3`."""
        return list(_compare("", self._plain(actual), self._expected))

    def _plain(self, obj: Object | Mapping[str, Any]) -> Any:
        plain = obj.to_dict() if isinstance(obj, Object) else obj
        return _without(plain, self._ignored)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Object | Mapping):
            return NotImplemented
        self._told = self.differences(other)
        return not self._told

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "\n".join(["<equal_object", *(f"  {line}" for line in self._told)]) + ">"


def equal_object(expected: Object | Mapping[str, Any], *, ignore: Iterable[Path] = ()) -> EqualObject:
    """Something to compare an object with: `assert found == equal_object(expected, ignore=["status"])`.

    What servers fill in (`AUTOMATIC`) is left out, and so is what stands at the paths of `ignore`: names joined by
    dots, or a list of names where a name has a dot. Both sides may be objects of any class, or dicts.
    """
    return EqualObject(expected, ignore)


def _parts(path: Path) -> tuple[str, ...]:
    return tuple(path.split(".")) if isinstance(path, str) else tuple(path)


def _without(value: Any, paths: Sequence[tuple[str, ...]]) -> Any:
    if isinstance(value, Mapping):
        here = {path[0] for path in paths if len(path) == 1}
        made = {}
        for key, each in value.items():
            if key not in here:
                deeper = [path[1:] for path in paths if len(path) > 1 and path[0] == key]
                kept = _without(each, deeper) if deeper else each
                if kept != {} or each == {}:
                    made[key] = kept
        return made
    if isinstance(value, list):
        return [_without(each, paths) for each in value]
    return value


def _compare(path: str, actual: Any, expected: Any) -> Iterable[str]:
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        for key in sorted({*actual, *expected}):
            at = f"{path}.{key}" if path else key
            yield from _compare(at, actual.get(key, _ABSENT), expected.get(key, _ABSENT))
    elif isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
            yield from _compare(f"{path}[{index}]", one, other)
    elif actual != expected:
        yield f"{path}: {actual!r}, expected {expected!r}"
