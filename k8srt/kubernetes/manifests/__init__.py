"""Applying and deleting manifests: objects, texts, files, folders. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.kubernetes.manifests.applying import apply as apply
    from k8srt.kubernetes.manifests.deleting import delete as delete
    from k8srt.kubernetes.manifests.outcomes import Outcome as Outcome
    from k8srt.kubernetes.manifests.outcomes import Outcomes as Outcomes
    from k8srt.kubernetes.manifests.sources import Manifest as Manifest
    from k8srt.kubernetes.manifests.sources import read as read

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Manifest": "k8srt.kubernetes.manifests.sources",
        "Outcome": "k8srt.kubernetes.manifests.outcomes",
        "Outcomes": "k8srt.kubernetes.manifests.outcomes",
        "apply": "k8srt.kubernetes.manifests.applying",
        "delete": "k8srt.kubernetes.manifests.deleting",
        "read": "k8srt.kubernetes.manifests.sources",
    },
)
