"""The forms in which people write reconcilers, and the one in which controllers call them.

Contract: REC-12, REC-13, DEC-01.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from k8srt.controller.context import Context
from k8srt.controller.finalizers import has_finalizer
from k8srt.controller.kinds import MetadataOnly, name_of
from k8srt.controller.reconciling.loop import Reconcile
from k8srt.controller.request import Request, Result

Function = Callable[..., Result | None]


def as_reconcile(function: Function, kind: Any) -> Reconcile:
    """A reconciler of a function of a request, or of an object, and a context; or of an object with `reconcile`.

    A function whose first parameter is annotated with the kind, or named `obj`, is given the object; one that is
    missing ends the reconcile quietly.
    """
    called: Function = function if callable(function) else getattr(function, "reconcile", function)
    coroutine = inspect.iscoroutinefunction(called)  # refused where controllers are made, by its own name
    if kind is None or coroutine or not callable(called) or not _takes_object(called, kind):
        return called
    return as_reconciler(kind, called)


def as_reconciler(kind: Any, function: Function) -> Reconcile:
    """A reconciler that reads the object of a request and calls `function(obj, ctx)`, or nothing if it is not there.

    Contract: REC-12.
    """

    return _OfObject(kind, function)


class _OfObject:
    """A function of an object, as one of a request. No closure, so that other processes can be told of it."""

    def __init__(self, kind: Any, function: Function) -> None:
        self._kind = kind
        self.__name__ = getattr(function, "__name__", "reconcile")
        self.__wrapped__ = function

    def __call__(self, request: Request, ctx: Context[Any]) -> Result | None:
        obj = ctx.client.get_or_none(self._kind, request)
        return None if obj is None else self.__wrapped__(obj, ctx)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _takes_object(function: Callable[..., object], kind: Any) -> bool:
    if has_finalizer(function):  # whatever is within
        return True
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
    except (TypeError, ValueError):  # written in C
        return False
    if first is None:
        return False
    try:
        hint = typing.get_type_hints(function).get(first.name)
    except (TypeError, ValueError, NameError):  # annotated with what only type checkers see
        hint = None
    what = kind.of if isinstance(kind, MetadataOnly) else kind
    return first.name == "obj" or (hint is not None and hint is what) or first.annotation == name_of(what)
