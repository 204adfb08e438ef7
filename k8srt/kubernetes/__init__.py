"""Clients of the built-in resources. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset as Clientset

__getattr__, __dir__ = lazy_exports(__name__, {"Clientset": "k8srt.kubernetes.clientset"})
