"""Factories of shared informers. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.informers.dynamic import DynamicSharedInformerFactory as DynamicSharedInformerFactory
    from k8srt.informers.factory import SharedInformerFactory as SharedInformerFactory
    from k8srt.informers.metadata import MetadataSharedInformerFactory as MetadataSharedInformerFactory
    from k8srt.informers.resource import ResourceInformer as ResourceInformer

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "DynamicSharedInformerFactory": "k8srt.informers.dynamic",
        "MetadataSharedInformerFactory": "k8srt.informers.metadata",
        "ResourceInformer": "k8srt.informers.resource",
        "SharedInformerFactory": "k8srt.informers.factory",
    },
)
