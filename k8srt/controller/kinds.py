"""Kinds, and the forms in which they are asked for.

    Deployment                                      # a class: objects of it
    GroupVersionKind("apps", "v1", "Deployment")    # a kind, also as a plain triple: `Unstructured`
    metadata_only(Deployment)                       # of either only the metadata: `PartialObjectMetadata`

Contract: CCH-01, CRC-02, CRC-12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec

from k8srt.apimachinery import scheme
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, record_from_parts
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured, with_type
from k8srt.metadata.partial import KIND as PARTIAL
from k8srt.metadata.partial import PartialObjectMetadata

T = TypeVar("T", bound=Object)

Triple = GroupVersionKind | tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class MetadataOnly:
    """A kind of which only the metadata is wanted: a fraction of the memory."""

    of: type[Object] | Triple


Kind = type[Object] | Triple | MetadataOnly


def metadata_only(kind: type[Object] | Triple) -> MetadataOnly:
    """A kind of which only the metadata is wanted: `metadata_only(Secret)`."""
    return MetadataOnly(kind)


def info_of(kind: Any) -> ResourceInfo:
    """The facts of a class that stands for a resource. Raises ValueError for anything else."""
    info = kind.__info__ if isinstance(kind, type) and issubclass(kind, Object) else None
    if info is None or not info.resource:
        raise ValueError(f"{getattr(kind, '__name__', kind)!r} is not the class of a resource")
    return info


def gvk_of(kind: Any) -> GroupVersionKind:
    """The group, version and kind that a kind in any form names. Raises ValueError for what names none."""
    if isinstance(kind, MetadataOnly):
        return gvk_of(kind.of)
    if isinstance(kind, tuple) and len(kind) == 3 and all(isinstance(part, str) for part in kind):
        gvk = GroupVersionKind(*kind)
        if not gvk.version or not gvk.kind:
            raise ValueError(f"{kind!r}: a kind has a version and a name")
        return gvk
    return info_of(kind).gvk


def name_of(kind: Any) -> str:
    """What to call a kind in a sentence."""
    if isinstance(kind, MetadataOnly):
        return f"the metadata of {name_of(kind.of)}"
    return kind.__name__ if isinstance(kind, type) else gvk_of(kind).kind


class Form(NamedTuple):
    """A kind as somebody asked for it: what the API says of it, and what its objects are made as."""

    info: ResourceInfo
    cls: type[Any]

    @property
    def metadata(self) -> bool:
        """Whether only the metadata is wanted."""
        return issubclass(self.cls, PartialObjectMetadata)

    @property
    def name(self) -> str:
        return f"the metadata of {self.info.kind}" if self.metadata else self.info.kind

    def make(self, record: Record) -> Any:
        """A fresh object of a record, in this form; it says its kind, which items of lists leave out."""
        gvk = self.info.gvk
        if self.metadata:
            return PartialObjectMetadata.from_record(_metadata_of(record, gvk))
        if issubclass(self.cls, Unstructured):
            return self.cls.from_record(with_type(record, gvk.api_version, gvk.kind))
        return self.cls.from_record(record)

    def convert(self, obj: Any) -> Any:
        """The same of an object in another form; anything but an object stays as it is."""
        if not isinstance(obj, Object) or (type(obj) is self.cls and not self.metadata):
            return obj
        return self.make(obj.to_record())


def form_of(clientset: Any, kind: Any) -> Form:
    """What a kind stands for. Discovery is asked about kinds that no class is known of.

    Raises ValueError for what is no kind, NoMatch for what the server does not serve.
    """
    only = isinstance(kind, MetadataOnly)
    kind = kind.of if isinstance(kind, MetadataOnly) else kind
    if isinstance(kind, type):
        return Form(info_of(kind), PartialObjectMetadata if only else kind)
    gvk = gvk_of(kind)
    known = scheme.default.lookup(gvk)
    info = known.__info__ if known is not None else None
    if info is None or not info.resource:
        info = clientset.resource(gvk).info
    return Form(info, PartialObjectMetadata if only else Unstructured)


def kind_of(obj: Object) -> Any:
    """The kind of an object, in the form that it has. Raises ValueError for an object that does not say it."""
    cls = type(obj)
    if cls.__info__ is not None and not issubclass(cls, PartialObjectMetadata):
        return cls
    if not obj.kind or not obj.api_version or obj.kind == PARTIAL:
        raise ValueError(f"{obj!r} does not say of which kind it is: set its apiVersion and kind")
    return MetadataOnly(obj.gvk) if issubclass(cls, PartialObjectMetadata) else obj.gvk


def metadata_object(kind: type[Object] | Triple, name: str, namespace: str = "") -> PartialObjectMetadata:
    """An object of which only the name is known, to be patched or deleted."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    record = record_from_parts({"metadata": msgspec.json.encode(metadata)})
    return PartialObjectMetadata.from_record(_metadata_of(record, gvk_of(kind)))


def _metadata_of(record: Record, gvk: GroupVersionKind) -> Record:
    return msgspec.structs.replace(
        record,
        parts={
            "apiVersion": msgspec.json.encode(gvk.api_version),
            "kind": msgspec.json.encode(gvk.kind),
            "metadata": record.parts.get("metadata", b"{}"),
        },
    )
