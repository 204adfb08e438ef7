"""Owner references: who an object belongs to. Contract: MACH-36."""

from __future__ import annotations

from k8srt.apimachinery.meta import OwnerReference
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind


def new_controller_ref(owner: Object, gvk: GroupVersionKind | None = None) -> OwnerReference:
    """A reference that makes `owner` the controller of whatever holds it, and keeps it until that is gone.

    `gvk` is the kind of the owner where the object does not say. Raises ValueError where nobody does.
    """
    kind = gvk or owner.gvk
    meta = owner.metadata
    if not kind.kind:
        raise ValueError(f"{owner!r} cannot be referred to as an owner: its kind is not known")
    return OwnerReference(
        api_version=kind.api_version,
        kind=kind.kind,
        name=meta.name,
        uid=meta.uid,
        controller=True,
        block_owner_deletion=True,
    )


def controller_of(obj: Object) -> OwnerReference | None:
    """The owner that is the controller, of which there is at most one."""
    return next((ref for ref in obj.metadata.owner_references or () if ref.controller), None)


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Whether `owner` is the controller of `obj`, by its uid alone."""
    ref = controller_of(obj)
    return ref is not None and ref.uid == owner.metadata.uid
