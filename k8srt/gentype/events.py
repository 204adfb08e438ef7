"""What events can besides: being written where their object is, and being found by it. Contract: CLI-08."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from k8srt.apimachinery import fields
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import Record
from k8srt.gentype import options as opts
from k8srt.gentype.options import PatchType
from k8srt.gentype.verbs import Creates, Lists, Patches, Updates

if TYPE_CHECKING:
    from k8srt.api.core.v1 import ObjectReference

T = TypeVar("T", bound=Object)


class WritesEvents(Creates[T], Updates[T], Patches[T]):
    """Writes an event into the namespace it names itself: what recorders do, whose client is of all namespaces."""

    __slots__ = ()

    def create_with_event_namespace(self, event: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Create an event in its own namespace. Raises ValueError when that is not the client's."""
        self._check_namespace("create", self._record(event))
        return self.create(event, **options)

    def update_with_event_namespace(self, event: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace an event in its own namespace. Raises ValueError when that is not the client's."""
        self._check_namespace("update", self._record(event))
        return self.update(event, **options)

    def patch_with_event_namespace(
        self,
        event: T | Mapping[str, Any],
        patch: Any,
        *,
        patch_type: PatchType = "strategic",
        **options: Unpack[opts.WriteOptions],
    ) -> T:
        """Patch an event in its own namespace. Raises ValueError when that is not the client's."""
        opts.check("patch_with_event_namespace", options, opts.WriteOptions)
        record = self._record(event)
        self._check_namespace("patch", record)
        return self._patch(record.name, patch, patch_type, "", False, options, self._cls, record.namespace)

    def _check_namespace(self, verb: str, record: Record) -> None:
        if self._namespace and record.namespace != self._namespace:
            raise ValueError(
                f"cannot {verb} an event with namespace {record.namespace!r} in namespace {self._namespace!r}"
            )


class SearchesEvents(Lists[T]):
    """Finds the events of an object."""

    __slots__ = ()

    def search(
        self, obj: Object | ObjectReference | Mapping[str, Any], **options: Unpack[opts.ListOptions]
    ) -> ObjectList[T]:
        """Return the events about an object, or about what a reference refers to.

        Raises ValueError when the client is of another namespace than the object.
        """
        about = _reference(obj)
        namespace = about["namespace"] or ""
        if self._namespace and namespace != self._namespace:
            raise ValueError(f"no events of namespace {namespace!r} can be found in namespace {self._namespace!r}")
        if options.get("field_selector"):
            raise ValueError("search: the field_selector is made of the object; use list for another")
        options["field_selector"] = self.get_field_selector(**about)
        return self.list(**options)

    @staticmethod
    def get_field_selector(
        *, name: str | None = None, namespace: str | None = None, kind: str | None = None, uid: str | None = None
    ) -> fields.FieldSelector:
        """The selector of the events about what goes by these; None means any."""
        given = {"kind": kind, "name": name, "namespace": namespace, "uid": uid}
        return fields.from_set({f"involvedObject.{key}": value for key, value in given.items() if value is not None})


def _reference(obj: Object | ObjectReference | Mapping[str, Any]) -> dict[str, str | None]:
    """What a selector says of an object: its name and namespace always, its kind and uid if they are known."""
    if isinstance(obj, Object):
        meta, kind = obj.metadata, obj.kind
        return {
            "name": meta.name or "",
            "namespace": meta.namespace or "",
            "kind": kind or None,
            "uid": meta.uid or None,
        }
    found = obj if isinstance(obj, Mapping) else obj.to_dict()
    name, namespace, kind, uid = (found.get(key) or "" for key in ("name", "namespace", "kind", "uid"))
    return {"name": name, "namespace": namespace, "kind": kind or None, "uid": uid or None}
