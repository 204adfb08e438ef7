"""Writing an object as it should be, whether it is there or not.

    def wanted(config: ConfigMap) -> None:
        config.data = {"color": foo.spec.color}
        set_controller_reference(foo, config)

    create_or_update(ctx.client, ConfigMap(metadata=ObjectMeta(name="colors", namespace="shop")), wanted)

The object is read by its key, `mutate` changes what was read (or the object itself, if there is none), and that is
written if it means something else than before. Afterwards the object given is as the server has it. `client` reads and
writes by class: a `controller.Client`. A function that clears what the server fills in writes every time; where that
is seen, it is told with the paths. `ctx.ensure` has no such trouble.

Contract: CUT-05 to CUT-07, APL-05.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache

from k8srt.apimachinery.equality import deep_equal
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.patch.create import create_merge_patch
from k8srt.apimachinery.record import record_from_parts
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.kinds import kind_of
from k8srt.errors import NotFound
from k8srt.gentype.options import PatchType

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Object)
Plain = dict[str, Any]

STUBBORN = 3  # equal answers in a row


class Written(StrEnum):
    """What came of it."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    UPDATED = "updated"
    UPDATED_STATUS = "updated_status"
    UPDATED_STATUS_ONLY = "updated_status_only"


class ReaderWriter(Protocol):
    """What is needed of a client."""

    def get(self, kind: Any, key: NamespacedName | str) -> Any: ...
    def create(self, obj: T) -> T: ...
    def update(self, obj: T) -> T: ...
    def patch(self, obj: T, patch: Any, *, patch_type: PatchType, subresource: str = "") -> T: ...


def create_or_update(client: ReaderWriter, obj: T, mutate: Callable[[T], object]) -> Written:
    """Create the object, or update it if it means something else than it should; its status is not written.

    Raises ValueError when `mutate` changes name or namespace, Conflict when somebody was faster, and any error of the
    read but NotFound.
    """
    before = _read(client, obj)
    if before is None:
        return _create(client, obj, mutate)
    obj.become(before)
    _mutate(obj, mutate)
    key = _key(obj)
    if deep_equal(body_of(before), body_of(obj)):
        _stubborn.settled(key)
        return Written.UNCHANGED
    answer = client.update(obj)
    _stubborn.wrote(key, body_of(before), body_of(obj), body_of(answer))
    obj.become(answer)
    return Written.UPDATED


def create_or_patch(client: ReaderWriter, obj: T, mutate: Callable[[T], object]) -> Written:
    """The same by merge patches: of the body, and then of the status, each if it means something else than it should.

    A status is not set on creation. Whoever writes other fields at the same time is not in the way. Raises as
    `create_or_update`, except Conflict.
    """
    before = _read(client, obj)
    if before is None:
        return _create(client, obj, mutate)
    obj.become(before)
    _mutate(obj, mutate)
    changes = Changes.between(before, obj)
    key = _key(obj)
    if not changes:
        _stubborn.settled(key)
        return Written.UNCHANGED
    wanted = body_of(obj)
    obj.become(changes.write(client, obj))
    if changes.body:
        _stubborn.wrote(key, body_of(before), wanted, body_of(obj))
    if not changes.status:
        return Written.UPDATED
    return Written.UPDATED_STATUS if changes.body else Written.UPDATED_STATUS_ONLY


class Changes:
    """Merge patches that turn one object into another: of the body, and of the status. False if there are none."""

    def __init__(self, body: Plain, status: Plain) -> None:
        self.body = body
        self.status = status

    @classmethod
    def between(cls, before: Object, after: Object) -> Changes:
        """What has changed; fields that mean the same do not count."""
        body, status = {}, {}
        old, new = body_of(before), body_of(after)
        if not deep_equal(old, new):
            body = create_merge_patch(old, new)
        if _has_status(after):
            old, new = status_of(before), status_of(after)
            if not deep_equal(old, new):
                status = create_merge_patch({"status": {}, **old.to_dict()}, {"status": {}, **new.to_dict()})
        return cls(body, status)

    def write(self, client: Any, obj: T, *, resource_version: str = "") -> T:
        """Send what there is, and return the last answer; `obj` itself if there is nothing. With a `resource_version`
        only to the object as it was then, or else it raises Conflict."""
        answer = obj
        if self.body:
            answer = client.patch(obj, _locked(self.body, resource_version), patch_type="merge")
            resource_version = resource_version and (answer.metadata.resource_version or "")
        if self.status:
            patch = _locked(self.status, resource_version)
            answer = client.patch(obj, patch, patch_type="merge", subresource="status")
        return answer

    def __bool__(self) -> bool:
        return bool(self.body or self.status)


def _locked(patch: Plain, resource_version: str) -> Plain:
    if not resource_version:
        return patch
    return {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": resource_version}}


def _read(client: ReaderWriter, obj: T) -> T | None:
    """A copy of what is there, for comparing."""
    if not obj.metadata.name:
        raise ValueError(f"{obj!r} has no name, so it cannot be looked up")
    try:
        found: T = client.get(kind_of(obj), NamespacedName(obj.metadata.namespace or "", obj.metadata.name))
        return found.copy()
    except NotFound:
        return None


def _create(client: ReaderWriter, obj: T, mutate: Callable[[T], object]) -> Written:
    _mutate(obj, mutate)
    obj.become(client.create(obj))
    return Written.CREATED


def _mutate(obj: T, mutate: Callable[[T], object]) -> None:
    before = (obj.metadata.namespace or "", obj.metadata.name)
    mutate(obj)
    if (obj.metadata.namespace or "", obj.metadata.name) != before:
        raise ValueError(f"mutate must not change name or namespace: {'/'.join(filter(None, before))} became {obj!r}")


def _key(obj: Object) -> tuple[str, str, str, str]:
    return obj.api_version, obj.kind, obj.metadata.namespace or "", obj.metadata.name


def _has_status(obj: Object) -> bool:
    """Whether the status has an endpoint of its own; where the class does not tell, it has if there is one."""
    info = type(obj).__info__
    return info.subresource("status") is not None if info is not None else "status" in obj.to_dict()


def body_of(obj: T) -> T:
    """A copy without the status, where that is written apart."""
    return _with_parts(obj, lambda part: part != "status") if _has_status(obj) else obj.copy()


def status_of(obj: T) -> T:
    """A copy that has the status alone."""
    return _with_parts(obj, lambda part: part == "status")


def _with_parts(obj: T, wanted: Callable[[str], bool]) -> T:
    parts = {name: part for name, part in obj.to_record().parts.items() if wanted(name)}
    return type(obj).from_record(record_from_parts(parts))


# ---- writes that lead nowhere --------------------------------------------------------------------------------------


class _Stubborn:
    """Notices what is written again and again although the server makes the same of it each time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _counts
        self._counts: LRUCache[tuple[str, ...], int] = LRUCache(1024)

    def settled(self, key: tuple[str, ...]) -> None:
        """Nothing was to be written."""
        with self._lock:
            self._counts.pop(key, None)

    def wrote(self, key: tuple[str, ...], before: Object, wanted: Object, answer: Object) -> None:
        """Something was; warns the third time that the answer is what was there before. Contract: CUT-07."""
        if not deep_equal(_lasting(before), _lasting(answer)):
            self.settled(key)
            return
        with self._lock:
            count = self._counts[key] = self._counts.get(key, 0) + 1
        if count == STUBBORN:
            paths = ", ".join(sorted(_changed_paths(before.to_dict(), wanted.to_dict()))) or "(none)"
            log.warning(
                "%s %s was written %d times in a row and each time the server made the same of it; these fields keep "
                "changing: %s. Leave alone what the server fills in, or use ctx.ensure(obj), which applies your fields",
                *(key[1], "/".join(filter(None, key[2:])), count, paths),
            )


_stubborn = _Stubborn()


def _lasting(obj: Object) -> Plain:
    """Without what the server counts."""
    document = obj.to_dict()
    counted = ("resourceVersion", "generation", "managedFields")
    meta = {name: value for name, value in (document.get("metadata") or {}).items() if name not in counted}
    return {**document, "metadata": meta}


def _changed_paths(before: Any, after: Any, above: str = "") -> Iterator[str]:
    """Where two plain values differ: `spec.ports[0].protocol`."""
    if deep_equal(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before.keys() | after.keys():
            yield from _changed_paths(before.get(key), after.get(key), f"{above}.{key}" if above else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed_paths(old, new, f"{above}[{place}]")
    else:
        yield above
