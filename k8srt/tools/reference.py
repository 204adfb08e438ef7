"""References to objects, as events and owners hold them. Contract: CLI-53, EVT-03."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.schema import GroupVersionKind

if TYPE_CHECKING:
    from k8srt.api.core.v1 import ObjectReference


def get_reference(
    obj: Object | ObjectList[Object] | ObjectReference | None, *, kind: type[Object] | GroupVersionKind | None = None
) -> ObjectReference:
    """A reference to an object, or to a list by its kind and version. A reference is returned as it is.

    What the object does not say of its kind its class does. `kind` says it instead: of objects of which one has the
    metadata only. Raises ValueError for None, and for an object whose kind nobody knows.
    """
    from k8srt.api.core.v1 import ObjectReference

    if isinstance(obj, ObjectReference):
        return obj
    if obj is None:
        raise ValueError("can't refer to None")
    if not hasattr(obj, "metadata"):
        raise ValueError(f"can't refer to {obj!r}: expected an object of the API or an ObjectReference")
    if isinstance(obj, ObjectList):
        api_version, name = _kind_of_list(obj)
        made = ObjectReference(api_version=api_version, kind=name)
    else:
        meta = obj.metadata
        made = ObjectReference(
            api_version=obj.api_version, kind=obj.kind, namespace=meta.namespace, name=meta.name, uid=meta.uid
        )
    if kind is not None:
        gvk = _kind_of(kind)
        made.api_version, made.kind = gvk.api_version, gvk.kind
    if not made.kind:
        raise ValueError(f"can't refer to {obj!r}: its kind is not known")
    made.resource_version = obj.metadata.resource_version
    return made


def get_partial_reference(obj: Object | ObjectReference | None, field_path: str) -> ObjectReference:
    """A reference to a part of an object: `spec.containers{web}`. Raises as `get_reference` does."""
    return msgspec.structs.replace(get_reference(obj), field_path=field_path)


def _kind_of(kind: type[Object] | GroupVersionKind) -> GroupVersionKind:
    if isinstance(kind, GroupVersionKind):
        return kind
    if kind.__info__ is None:
        raise ValueError(f"{kind.__name__} is no kind of its own")
    return kind.__info__.gvk


def _kind_of_list(found: ObjectList[Object]) -> tuple[str, str]:
    info = type(found).__info__
    return (info.api_version, info.kind) if info else ("", "")
