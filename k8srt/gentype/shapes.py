"""The clients that many resources have alike. What is served otherwise has a class of its own, in the generated
module of its group, put together of the same pieces.

A client has the verbs its resource has, and no others: not at run time and not for a type checker.
"""

from __future__ import annotations

from typing import TypeVar

from k8srt.apimachinery.object import Object
from k8srt.gentype.subresources import Scales, UpdatesStatus
from k8srt.gentype.verbs import Creates, Deletes, DeletesCollections, Gets, Lists, Patches, Updates, Watches

T = TypeVar("T", bound=Object)


class CreateClient(Creates[T]):
    """Of what is only asked and answered: reviews, bindings."""

    __slots__ = ()


class StandardClient(
    Gets[T], Lists[T], Watches[T], Creates[T], Updates[T], Patches[T], Deletes[T], DeletesCollections[T]
):
    """Every verb."""

    __slots__ = ()


class StatusClient(StandardClient[T], UpdatesStatus[T]):
    """Every verb, and a status."""

    __slots__ = ()


class ScalableClient(StandardClient[T], Scales[T]):
    """Every verb, and a scale."""

    __slots__ = ()


class WorkloadClient(StatusClient[T], Scales[T]):
    """Every verb, a status and a scale."""

    __slots__ = ()
