"""Which client a resource has: the pieces of `k8srt.gentype` that its verbs and subresources call for.

Most resources are served alike, and have one of the clients of `k8srt.gentype.shapes`. Someone who writes a new piece
adds it to the tables here, and the generator gives it to each resource that is served that way.
"""

from __future__ import annotations

from typing import Any

from k8srt.codegen.tree import Class, Resource
from k8srt.gentype import events, logs, pods, proxy, shapes, subresources, verbs

Piece = type[Any]

VERBS: dict[str, Piece] = {
    "get": verbs.Gets,
    "list": verbs.Lists,
    "watch": verbs.Watches,
    "create": verbs.Creates,
    "update": verbs.Updates,
    "patch": verbs.Patches,
    "delete": verbs.Deletes,
    "deletecollection": verbs.DeletesCollections,
}
SUBRESOURCES: dict[str, Piece] = {
    "approval": subresources.Approves,
    "binding": pods.Binds,
    "ephemeralcontainers": pods.UpdatesEphemeralContainers,
    "eviction": pods.Evicts,
    "finalize": subresources.Finalizes,
    "log": logs.ReadsLogs,
    "proxy": proxy.Proxies,
    "resize": pods.Resizes,
    "scale": subresources.Scales,
    "status": subresources.UpdatesStatus,
    "token": subresources.CreatesTokens,
}
STREAMS = frozenset({"attach", "exec", "portforward"})
"""Subresources that are connections rather than requests: no client has a verb for them."""

EXPANSIONS: dict[str, tuple[Piece, ...]] = {
    "v1/Event": (events.SearchesEvents, events.WritesEvents),
    "events.k8s.io/v1/Event": (events.WritesEvents,),
}
"""What a kind has besides, as in client-go."""

SHAPES: tuple[Piece, ...] = (
    shapes.WorkloadClient,
    shapes.StatusClient,
    shapes.ScalableClient,
    shapes.StandardClient,
    shapes.CreateClient,
)
"""Those that several resources share, the larger first."""

_PIECES = (*VERBS.values(), *SUBRESOURCES.values(), *(piece for more in EXPANSIONS.values() for piece in more))


def pieces_of(cls: Class) -> list[Piece]:
    """What the client of a resource must have, in order."""
    resource = cls.resource or Resource("", False, ())
    served = [VERBS[verb] for verb in VERBS if verb in resource.verbs]
    below = [SUBRESOURCES[sub.name] for sub in resource.subresources if sub.name in SUBRESOURCES]
    return [*served, *below, *EXPANSIONS.get(cls.gvk, ())]


def shape_of(cls: Class) -> Piece | None:
    """The shared client that is just right for a resource, if there is one."""
    wanted = set(pieces_of(cls))
    return next((shape for shape in SHAPES if _pieces_in(shape) == wanted), None)


def bases_of(cls: Class) -> list[Piece]:
    """What a client of its own is put together of: the largest shared one that is not too much, and what it lacks."""
    wanted = pieces_of(cls)
    whole = (shape for shape in SHAPES if issubclass(shape, shapes.StandardClient))
    shape = next((shape for shape in whole if _pieces_in(shape) <= set(wanted)), None)
    has = _pieces_in(shape) if shape is not None else set()
    return [*([shape] if shape is not None else []), *(piece for piece in wanted if piece not in has)]


def _pieces_in(shape: Piece) -> set[Piece]:
    return {base for base in shape.__mro__ if base in _PIECES}
