"""Kinds and the resources they are served as. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.restmapper.guess import unsafe_guess_kind_to_resource as unsafe_guess_kind_to_resource
    from k8srt.restmapper.mapper import RESTMapper as RESTMapper
    from k8srt.restmapper.mapping import RESTMapping as RESTMapping

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "RESTMapper": "k8srt.restmapper.mapper",
        "RESTMapping": "k8srt.restmapper.mapping",
        "unsafe_guess_kind_to_resource": "k8srt.restmapper.guess",
    },
)
