"""Reading from caches. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.listers.lister import Lister as Lister
    from k8srt.listers.lister import NamespaceLister as NamespaceLister
    from k8srt.listers.lister import list_all as list_all
    from k8srt.listers.lister import list_all_by_namespace as list_all_by_namespace

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Lister": "k8srt.listers.lister",
        "NamespaceLister": "k8srt.listers.lister",
        "list_all": "k8srt.listers.lister",
        "list_all_by_namespace": "k8srt.listers.lister",
    },
)
