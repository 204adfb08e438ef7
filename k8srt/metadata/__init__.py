"""Clients that see only the metadata of objects. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.metadata.client import MetadataClient as MetadataClient
    from k8srt.metadata.partial import PartialObjectMetadata as PartialObjectMetadata

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "MetadataClient": "k8srt.metadata.client",
        "PartialObjectMetadata": "k8srt.metadata.partial",
    },
)
