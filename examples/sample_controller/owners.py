"""Who owns whom. An owner reference is what garbage collection goes by: when the owner goes, what it owns goes too."""

from __future__ import annotations

from k8srt.apimachinery.meta import OwnerReference
from k8srt.apimachinery.object import Object


def controller_reference(owner: Object) -> OwnerReference:
    """What goes into an object to say that `owner` controls it. An object has at most one such reference."""
    return OwnerReference(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )


def controller_of(obj: Object) -> OwnerReference | None:
    """Who controls `obj`; None if nobody does."""
    owners = obj.metadata.owner_references or []
    return next((owner for owner in owners if owner.controller), None)


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Whether `owner` controls `obj`. By uid: another Foo of the same name, long gone, is another owner."""
    controller = controller_of(obj)
    return controller is not None and controller.uid == owner.metadata.uid
