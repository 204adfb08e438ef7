"""Objects that belong together: what is no longer wanted goes.

    ctx.apply_set("web", [deployment, service, *config_maps])

Each is ensured with a label that says of which set it is a member; then members that are not among them are deleted.
Which kinds to look through stands in an annotation of the object that is reconciled: it is written before the first
member of a kind is, so that none is ever overlooked. A set in which nothing changes costs no request.

Contract: APL-06.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.client.applying import Ensured, ensure
from k8srt.controller.kinds import metadata_only
from k8srt.errors import K8srtError

if TYPE_CHECKING:
    from k8srt.controller.context import Context

MEMBER_LABEL = "applyset.kubernetes.io/part-of"
KINDS_ANNOTATION = "applyset.k8srt.io/"  # and the name of the set

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Key = tuple[str, str, str, str]


@dataclass(slots=True)
class SetOutcome:
    """What came of a set: of each member, and which objects were deleted, as "Kind namespace/name"."""

    members: dict[str, Ensured] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was written or deleted."""
        return bool(self.deleted) or any(each is not Ensured.UNCHANGED for each in self.members.values())


def apply_set(ctx: Context[Any], name: str, objects: Iterable[Object], *, owner: Object | None = None) -> SetOutcome:
    """Have just these objects be the members of a set of the object that is reconciled (or of `owner`).

    The owner is set as their controller where it may be. Nothing is deleted when a member could not be ensured. Raises
    ValueError for a name that is no DNS label, for an object that comes twice, and without an owner.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"apply_set: a name of lower-case letters, digits and dashes is needed, not {name!r}")
    parent = owner if owner is not None else ctx.home.object_of(ctx.request)
    if parent is None:
        raise ValueError(f"apply_set {name}: the object of {ctx.request} is not there to own the set; give owner=")
    wanted = _by_key(objects)
    kinds = {obj.gvk for obj in wanted.values()}
    before = _kinds_of(parent, name)
    _write_kinds(ctx, parent, name, before, kinds | before)
    outcome = SetOutcome()
    for obj in wanted.values():
        member = obj.copy()
        member.metadata.labels = {**(member.metadata.labels or {}), MEMBER_LABEL: set_id(parent, name)}
        outcome.members[_label(obj.kind, obj)] = ensure(ctx, member, owner=parent, owned=_may_own(parent, obj))
    for kind in sorted(kinds | before):
        _prune(ctx, kind, set_id(parent, name), wanted.keys(), outcome)
    _write_kinds(ctx, parent, name, kinds | before, kinds)
    return outcome


def set_id(parent: Object, name: str) -> str:
    """What the label of members says."""
    meta, gvk = parent.metadata, parent.gvk
    text = f"{name}/{meta.name}.{meta.namespace or ''}.{gvk.kind}.{gvk.group}"
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"applyset-{digest}-v1"


def _by_key(objects: Iterable[Object]) -> dict[Key, Object]:
    found: dict[Key, Object] = {}
    for obj in objects:
        key = _key(obj.gvk, obj)
        if key in found:
            raise ValueError(f"apply_set: {obj!r} comes twice")
        found[key] = obj
    return found


def _key(gvk: GroupVersionKind, obj: Any) -> Key:
    return gvk.group, gvk.kind, obj.metadata.namespace or "", obj.metadata.name or ""


def _label(kind: str, obj: Object) -> str:
    return f"{kind} {'/'.join(filter(None, (obj.metadata.namespace, obj.metadata.name)))}"


def _may_own(parent: Object, obj: Object) -> bool:
    return not parent.metadata.namespace or parent.metadata.namespace == obj.metadata.namespace


def _prune(ctx: Context[Any], kind: GroupVersionKind, member_of: str, wanted: Iterable[Key], out: SetOutcome) -> None:
    """Delete members of a kind that are not wanted."""
    for member in ctx.client.list(metadata_only(kind), label_selector={MEMBER_LABEL: member_of}):
        if _key(kind, member) in wanted or member.metadata.deletion_timestamp:
            continue
        if ctx.client.delete(member, preconditions={"uid": member.metadata.uid}, propagation_policy="Background"):
            out.deleted.append(_label(kind.kind, member))


# ---- which kinds there are -----------------------------------------------------------------------------------------


def _kinds_of(parent: Object, name: str) -> set[GroupVersionKind]:
    """Raises K8srtError for what somebody else has written there."""
    text = (parent.metadata.annotations or {}).get(f"{KINDS_ANNOTATION}{name}", "")
    found = set()
    for part in filter(None, text.split(",")):
        kind, dot, rest = part.partition(".")
        version, _, group = rest.partition(".")
        if not kind or not dot or not version:
            raise K8srtError(f"{parent!r}: annotation {KINDS_ANNOTATION}{name}: {part!r} is no Kind.version.group")
        found.add(GroupVersionKind(group, version, kind))
    return found


def _write_kinds(
    ctx: Context[Any], parent: Object, name: str, before: set[GroupVersionKind], kinds: set[GroupVersionKind]
) -> None:
    if kinds == before:
        return
    text = ",".join(sorted(".".join(filter(None, (gvk.kind, gvk.version, gvk.group))) for gvk in kinds))
    annotations = {f"{KINDS_ANNOTATION}{name}": text or None}
    ctx.client.patch(parent, {"metadata": {"annotations": annotations}}, patch_type="merge")
