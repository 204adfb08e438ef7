"""Informers of the metadata of any resource: a fraction of the memory, where that is all one needs. INF-60."""

from __future__ import annotations

from k8srt.informers.by_resource import ByResourceFactory
from k8srt.metadata.partial import PartialObjectMetadata


class MetadataSharedInformerFactory(ByResourceFactory[PartialObjectMetadata]):
    """Like `SharedInformerFactory`, keyed by resource. `client` is a `MetadataClient`. Thread-safe."""

    kind = PartialObjectMetadata
