"""Who an object belongs to: setting and removing owner references.

    set_controller_reference(foo, deployment)     # deployment goes when foo does, and its changes lead to foo

They change the object that is given and send nothing. References to one owner are told by group, kind and name: an
owner that was made again, or moved to another version, replaces itself in place.

Contract: CUT-01 to CUT-04.
"""

from __future__ import annotations

from k8srt.apimachinery.meta import OwnerReference
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.owners import controller_of, new_controller_ref
from k8srt.apimachinery.schema import GroupVersion
from k8srt.errors import K8srtError


class AlreadyOwnedError(K8srtError):
    """An object was to be given a controller though it has another one: `object`, and its present `owner`."""

    def __init__(self, obj: Object, owner: OwnerReference) -> None:
        super().__init__(f"{obj!r} is already controlled by {owner.kind} {owner.name} ({owner.uid})")
        self.object = obj
        self.owner = owner


class NoSuchOwner(K8srtError, ValueError):
    """A reference to an owner was to be removed that an object does not have."""


def set_controller_reference(owner: Object, obj: Object, *, block_owner_deletion: bool = True) -> None:
    """Make `owner` the controller of `obj`. `block_owner_deletion`: a foreground deletion of it waits for `obj`.

    Raises AlreadyOwnedError when another object controls it, ValueError for an owner it cannot have: CUT-01, CUT-03.
    """
    ref = _reference(owner, obj)
    ref.controller, ref.block_owner_deletion = True, block_owner_deletion
    present = controller_of(obj)
    if present is not None and not _same_owner(present, ref):
        raise AlreadyOwnedError(obj, present)
    _put(obj, ref)


def set_owner_reference(owner: Object, obj: Object) -> None:
    """Make `owner` one of the owners of `obj`, not its controller. Raises ValueError as above. Contract: CUT-02."""
    _put(obj, _reference(owner, obj))


def remove_owner_reference(owner: Object, obj: Object) -> None:
    """Let `owner` own `obj` no longer. Raises NoSuchOwner when it does not."""
    ref = _bare_reference(owner)
    kept = [each for each in obj.metadata.owner_references or () if not _same_owner(each, ref)]
    if len(kept) == len(obj.metadata.owner_references or ()):
        raise NoSuchOwner(f"{obj!r} has no owner reference to {owner!r}")
    obj.metadata.owner_references = kept


def remove_controller_reference(owner: Object, obj: Object) -> None:
    """Let `owner` control `obj` no longer. Raises NoSuchOwner when it does not own it, or is not its controller."""
    ref = _bare_reference(owner)
    if any(_same_owner(each, ref) and not each.controller for each in obj.metadata.owner_references or ()):
        raise NoSuchOwner(f"{owner!r} is an owner of {obj!r}, but not its controller")
    remove_owner_reference(owner, obj)


def has_controller_reference(obj: Object) -> bool:
    """Whether any object controls this one."""
    return controller_of(obj) is not None


def has_owner_reference(owner: Object, obj: Object) -> bool:
    """Whether `owner` is one of the owners of `obj`, whatever its uid."""
    ref = _bare_reference(owner)
    return any(_same_owner(each, ref) for each in obj.metadata.owner_references or ())


def _reference(owner: Object, obj: Object) -> OwnerReference:
    """A reference with neither flag. Raises ValueError for what the garbage collector would take for gone."""
    ref = _bare_reference(owner)
    if not ref.uid:
        raise ValueError(
            f"{owner!r} cannot own {obj!r}: it has no uid yet, and what it owned would be collected as garbage; "
            "use the object as the server has it"
        )
    where = owner.metadata.namespace or ""
    if where and not _is_namespaced(obj):
        raise ValueError(f"{obj!r} is cluster-scoped, so {owner!r}, which is in a namespace, cannot own it")
    if where and obj.metadata.namespace != where:
        raise ValueError(
            f"{obj!r} cannot be owned across namespaces: it is in {obj.metadata.namespace or 'none'!r}, "
            f"{owner!r} in {where!r}"
        )
    return ref


def _bare_reference(owner: Object) -> OwnerReference:
    ref = new_controller_ref(owner)
    return OwnerReference(api_version=ref.api_version, kind=ref.kind, name=ref.name, uid=ref.uid)


def _is_namespaced(obj: Object) -> bool:
    """As far as the class tells; of a kind without one, an object without a namespace counts as cluster-scoped."""
    info = type(obj).__info__
    return info.namespaced if info is not None else bool(obj.metadata.namespace)


def _same_owner(a: OwnerReference, b: OwnerReference) -> bool:
    group = GroupVersion.parse
    return (a.kind, a.name, group(a.api_version).group) == (b.kind, b.name, group(b.api_version).group)


def _put(obj: Object, ref: OwnerReference) -> None:
    """In place of the first reference to the same owner, or at the end; further ones to it go."""
    refs = list(obj.metadata.owner_references or ())
    places = [place for place, each in enumerate(refs) if _same_owner(each, ref)]
    if not places:
        refs.append(ref)
    for place in reversed(places[1:]):
        del refs[place]
    if places:
        refs[places[0]] = ref
    obj.metadata.owner_references = refs
