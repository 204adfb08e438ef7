"""k8srt: the Kubernetes client and controller runtime for synchronous Python.

    import k8srt

    cs = k8srt.connect()
    for pod in cs.core_v1.pods("default").list(label_selector="app=web"):
        print(pod.metadata.name, pod.status.phase)

Names are loaded when first touched; importing the package loads the standard library only.
"""

from typing import TYPE_CHECKING

from k8srt import errors
from k8srt._lazy import lazy_exports
from k8srt._version import __version__

if TYPE_CHECKING:
    from k8srt.apimachinery.meta import LabelSelector, ObjectMeta, OwnerReference
    from k8srt.apimachinery.object import Object
    from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource, NamespacedName
    from k8srt.apimachinery.unstructured import Unstructured
    from k8srt.apimachinery.watch import Event, EventType
    from k8srt.dynamic import DynamicClient
    from k8srt.informers import SharedInformerFactory
    from k8srt.kubernetes import Clientset
    from k8srt.kubernetes.connect import connect
    from k8srt.listers import Lister
    from k8srt.rest import Config, RESTClient, in_cluster_config
    from k8srt.util.stacks import dump_threads, threads
    from k8srt.util.workqueue import RateLimitingQueue

_EXPORTS = {
    "Clientset": "k8srt.kubernetes",
    "Config": "k8srt.rest",
    "DynamicClient": "k8srt.dynamic",
    "Event": "k8srt.apimachinery.watch",
    "EventType": "k8srt.apimachinery.watch",
    "GroupVersionKind": "k8srt.apimachinery.schema",
    "GroupVersionResource": "k8srt.apimachinery.schema",
    "LabelSelector": "k8srt.apimachinery.meta",
    "Lister": "k8srt.listers",
    "NamespacedName": "k8srt.apimachinery.schema",
    "Object": "k8srt.apimachinery.object",
    "ObjectMeta": "k8srt.apimachinery.meta",
    "OwnerReference": "k8srt.apimachinery.meta",
    "RESTClient": "k8srt.rest",
    "RateLimitingQueue": "k8srt.util.workqueue",
    "SharedInformerFactory": "k8srt.informers",
    "Unstructured": "k8srt.apimachinery.unstructured",
    "connect": "k8srt.kubernetes.connect",
    "dump_threads": "k8srt.util.stacks",
    "in_cluster_config": "k8srt.rest",
    "threads": "k8srt.util.stacks",
}

__all__ = [
    "Clientset",
    "Config",
    "DynamicClient",
    "Event",
    "EventType",
    "GroupVersionKind",
    "GroupVersionResource",
    "LabelSelector",
    "Lister",
    "NamespacedName",
    "Object",
    "ObjectMeta",
    "OwnerReference",
    "RESTClient",
    "RateLimitingQueue",
    "SharedInformerFactory",
    "Unstructured",
    "__version__",
    "connect",
    "dump_threads",
    "errors",
    "in_cluster_config",
    "threads",
]
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
