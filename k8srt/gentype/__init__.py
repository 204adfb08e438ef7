"""The client of any resource. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.gentype.client import ResourceClient as ResourceClient

__getattr__, __dir__ = lazy_exports(__name__, {"ResourceClient": "k8srt.gentype.client"})
