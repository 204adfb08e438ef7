"""Informers of resources without a model, by group, version and plural. Contract: INF-60."""

from __future__ import annotations

from k8srt.apimachinery.unstructured import Unstructured
from k8srt.informers.by_resource import ByResourceFactory


class DynamicSharedInformerFactory(ByResourceFactory[Unstructured]):
    """Like `SharedInformerFactory`, keyed by resource. `client` is a `DynamicClient`. Thread-safe."""

    kind = Unstructured
