"""An object of any kind, of which only the metadata is known."""

from __future__ import annotations

from k8srt.apimachinery.object import Object


class PartialObjectMetadata(Object, gvk="meta.k8s.io/v1/PartialObjectMetadata"):
    """What a server sends of an object to those who ask for its metadata only. It does not say which kind it is of."""
