"""Clients of resources without a model. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.dynamic.client import DynamicClient as DynamicClient

__getattr__, __dir__ = lazy_exports(__name__, {"DynamicClient": "k8srt.dynamic.client"})
