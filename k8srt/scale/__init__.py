"""The scale of anything that has one. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.scale.client import ScaleClient as ScaleClient

__getattr__, __dir__ = lazy_exports(__name__, {"ScaleClient": "k8srt.scale.client"})
