"""Where the informers of a group are, and which class a resource has."""

from __future__ import annotations

import importlib
from typing import Any

from k8srt.api._index import GROUP_VERSIONS
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.informers.group import ClientGroupInformers, Factory, GroupInformers
from k8srt.informers.typed._index import GROUPS


def find_group(factory: Factory, clientset: Any, attribute: str) -> GroupInformers:
    """The informers of a group such as `core_v1`: generated ones, or for any group that the clientset has.

    Raises AttributeError for what is no group.
    """
    place = GROUPS.get(attribute)
    if place is not None:
        made: GroupInformers = getattr(importlib.import_module(place[0]), place[1])(factory)
        return made
    return ClientGroupInformers(factory, getattr(clientset, attribute))


def find_class(gvr: GroupVersionResource) -> type[Any]:
    """The class of a built-in resource. Raises LookupError."""
    module = GROUP_VERSIONS.get(str(gvr.group_version))
    for value in vars(importlib.import_module(module)).values() if module else ():
        if isinstance(value, type) and issubclass(value, Object) and value.__info__ is not None:
            info = value.__info__
            if info.gvr == gvr and "list" in info.verbs:
                return value
    raise LookupError(f"no informer found for {gvr}")
