"""What a reconcile does to objects: having them as they should be, and changing them by patches.

    ctx.ensure(deployment)                  # applied with our name and the owner set, if that changes anything
    with ctx.patching(foo) as foo:          # what has changed is sent when the block ends
        foo.status.ready = True

`ensure` remembers what was applied for each object, so what is as it should be costs no request: what was applied last
is the same, and what the cache has still has our fields as they were then.

Contract: APL-02, APL-03, APL-06.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from k8srt.apimachinery.equality import deep_equal
from k8srt.apimachinery.managedfields import entries_of, extract_apply
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.client.writing import Changes, Plain
from k8srt.controller.kinds import kind_of
from k8srt.controller.ownership import set_controller_reference
from k8srt.errors import Conflict, NotFound

if TYPE_CHECKING:
    from k8srt.controller.context import Context
    from k8srt.controller.dependents.own_writes import OwnWrites

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Object)

_KEPT_BY_SERVER = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "deletionTimestamp")


class Ensured(StrEnum):
    """What came of it."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class _Applied(NamedTuple):
    """What was sent for an object, and what the server made of it."""

    body: Plain
    answer: Any


class Kept(NamedTuple):
    """What came of it, and the object as it is now."""

    outcome: Ensured
    object: Any


def ensure(
    ctx: Context[Any],
    obj: Object,
    *,
    owner: Object | None = None,
    owned: bool = True,
    writes: OwnWrites | None = None,
) -> Ensured:
    """Have the server keep the fields that `obj` sets, in the name of the controller and against whoever else has them.

    `obj` stays as it is, so that it can be ensured again. `owner` controls it, by default the object that is
    reconciled; with `owned` False nothing is said of owners. The status is not applied. `writes` is told, so that the
    event of the write leads nowhere. Raises ValueError where there is no owner, or one that cannot be;
    AlreadyOwnedError when another object controls it, and what `apply` raises.
    """
    return keep(ctx, obj, owner=owner, owned=owned, writes=writes).outcome


def keep(
    ctx: Context[Any],
    obj: T,
    *,
    owner: Object | None = None,
    owned: bool = True,
    matches: Callable[[T, T], object] | None = None,
    writes: OwnWrites | None = None,
) -> Kept:
    """The same, with the object as it is then. `matches(obj, present)` says in place of what was applied last whether
    what there is will do."""
    wanted = obj.copy()
    if owned:
        set_controller_reference(_owner(ctx, owner, obj), wanted)
    body = _body(wanted)
    present = _present(ctx, obj)
    applied: dict[Any, _Applied] = ctx.memo.setdefault(ensure, {})
    key = (obj.api_version, obj.kind, obj.metadata.namespace or "", obj.metadata.name)
    last = applied.get(key)
    if present is not None and matches is not None:
        if not _is_ending(present) and matches(wanted, present.copy()):
            return Kept(Ensured.UNCHANGED, present)
    elif present is not None and _is_there(body, present, last, ctx.controller):
        if last is None or _version(present) > _version(last.answer):
            applied[key] = _Applied(body, present)  # next time one look at the version will do
        return Kept(Ensured.UNCHANGED, present)
    answer = _apply(ctx, type(obj).from_dict(body), present, writes)
    applied[key] = _Applied(body, answer)
    before = present or (last.answer if last is not None and last.answer.metadata.uid == answer.metadata.uid else None)
    if before is None:
        return Kept(Ensured.CREATED, answer)
    unchanged = before.metadata.resource_version == answer.metadata.resource_version
    return Kept(Ensured.UNCHANGED if unchanged else Ensured.UPDATED, answer)


def _apply(ctx: Context[Any], wanted: T, present: T | None, writes: OwnWrites | None) -> T:
    """Apply it; for `writes` only if the object is still as we know it, else nothing is told of it."""
    if writes is None:
        return ctx.client.apply(wanted, field_manager=ctx.controller, force=True)
    with writes.writing(ctx.request, wanted) as write:
        if present is not None:
            known = wanted.copy()
            known.metadata.uid, known.metadata.resource_version = (
                present.metadata.uid,
                present.metadata.resource_version,
            )
            try:
                answer = ctx.client.apply(known, field_manager=ctx.controller, force=True, locked=True)
            except (Conflict, NotFound):
                return ctx.client.apply(wanted, field_manager=ctx.controller, force=True)
            write.answered(present, answer)
            return answer
        answer = ctx.client.apply(wanted, field_manager=ctx.controller, force=True)
        if {entry.manager for entry in answer.metadata.managed_fields or ()} <= {ctx.controller}:  # nobody was faster
            write.answered(None, answer)
        return answer


def _owner(ctx: Context[Any], owner: Object | None, obj: Object) -> Object:
    found = owner if owner is not None else ctx.home.object_of(ctx.request)
    if found is None:
        raise ValueError(
            f"ensure {obj!r}: the object of {ctx.request} is not there to own it; give owner=, or owned=False"
        )
    return found


def _body(obj: Object) -> Plain:
    """What is applied: what the server alone decides on is left out."""
    document = obj.to_dict()
    document.pop("status", None)
    meta = document.get("metadata") or {}
    document["metadata"] = {key: value for key, value in meta.items() if key not in _KEPT_BY_SERVER}
    return document


def applicable(obj: T, *, locked: bool = False) -> T:
    """The object without what must not, or should not, be applied: managedFields, and unless `locked` the resource
    version. Contract: APL-01."""
    meta = obj.metadata
    if not meta.managed_fields and (locked or not meta.resource_version):
        return obj
    bare = obj.copy()
    bare.metadata.managed_fields = unset
    if not locked:
        bare.metadata.resource_version = unset
    return bare


def _present(ctx: Context[Any], obj: T) -> T | None:
    if not obj.metadata.name:
        raise ValueError(f"ensure {obj!r}: it has no name")
    key = NamespacedName(obj.metadata.namespace or "", obj.metadata.name)
    found: T | None = ctx.client.get_or_none(kind_of(obj), key)
    return found


def _is_there(body: Plain, present: Any, last: _Applied | None, manager: str) -> bool:
    """Whether to apply `body` would change nothing of what is there."""
    if _is_ending(present):
        return False
    if last is None or last.answer.metadata.uid != present.metadata.uid:
        mine = extract_apply(present, manager)
        return deep_equal(type(present).from_dict(_body(mine)), type(present).from_dict(body))
    if last.body != body:
        return False
    if _version(present) <= _version(last.answer):  # the cache knows nothing newer than what we have done
        return True
    if entries_of(present.to_dict()):
        return _body(extract_apply(present, manager)) == _body(extract_apply(last.answer, manager))
    return _body(present) == _body(last.answer)


def _is_ending(present: Any) -> bool:
    return present.metadata.deletion_timestamp is not None


def _version(obj: Object) -> int:
    """Versions of one object can be compared. Contract: MACH-33."""
    version = obj.metadata.resource_version or ""
    return int(version) if version.isdecimal() else 0


@contextmanager
def patching(ctx: Context[Any], obj: T, *, always_status: bool = False, optimistic_lock: bool = False) -> Iterator[T]:
    """Send what the block has changed in the object, in merge patches of the body and of the status; nothing if that
    means the same as before. The object becomes what the server has.

    When the block raises, nothing is sent, or with `always_status` the status alone; the error goes on. With
    `optimistic_lock` Conflict is raised if somebody has written since the object was read.
    """
    before = obj.copy()
    version = (before.metadata.resource_version or "") if optimistic_lock else ""
    try:
        yield obj
    except Exception:
        if always_status:
            try:
                Changes({}, Changes.between(before, obj).status).write(ctx.client, obj, resource_version=version)
            except Exception:
                ctx.log.exception("%r: its status could not be written after a failure", obj)
        raise
    changes = Changes.between(before, obj)
    if changes:
        obj.become(changes.write(ctx.client, obj, resource_version=version))
