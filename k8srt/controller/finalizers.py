"""Finalizers: what must be cleaned up before an object may go.

    @mgr.controller(Bucket)
    @with_finalizer("example.com/bucket", cleanup=delete_bucket)
    def reconcile(bucket: Bucket, ctx: Context) -> None: ...

The finalizer is there before `reconcile` is called for the first time, and is taken off once `cleanup` has returned.
Finalizers of others are never touched: what is written says at which place ours was and what the object was then.

`Finalizers` is a set of clean-ups under keys, for a reconciler that writes the object itself. Contract: FIN-01 to
FIN-04, CUT-08.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.controller.request import Request, Result
from k8srt.errors import Aggregate, Conflict, Invalid, K8srtError, NotFound, joined

if TYPE_CHECKING:
    from k8srt.controller.context import Context

T = TypeVar("T", bound=Object)

_TRIES = 5
_OWN_EVENTS = ("created", "initial", "updated")


def add_finalizer(obj: Object, finalizer: str) -> bool:
    """Add a finalizer to the object given; returns whether it was missing."""
    if contains_finalizer(obj, finalizer):
        return False
    obj.metadata.finalizers = [*(obj.metadata.finalizers or ()), finalizer]
    return True


def remove_finalizer(obj: Object, finalizer: str) -> bool:
    """Take a finalizer out of the object given, every copy of it; returns whether it was there."""
    if not contains_finalizer(obj, finalizer):
        return False
    obj.metadata.finalizers = [each for each in obj.metadata.finalizers if each != finalizer]
    return True


def contains_finalizer(obj: Object, finalizer: str) -> bool:
    """Whether the object has a finalizer."""
    return finalizer in (obj.metadata.finalizers or ())


# ---- several, for who writes the object ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finalized:
    """What has to be written: the object, its status, or neither."""

    updated: bool = False
    status_updated: bool = False

    def __or__(self, other: Finalized) -> Finalized:
        return Finalized(self.updated or other.updated, self.status_updated or other.status_updated)


class FinalizersFailed(Aggregate):
    """Some clean-ups failed; the finalizers of the others are off. `result` says what is to be written."""

    result: Finalized

    @classmethod
    def of(cls, errors: list[Exception], result: Finalized) -> FinalizersFailed:
        failed = cls(joined(map(str, errors)), errors)
        failed.result = result
        return failed


CleanUp = Callable[[Any], Finalized | None]


class Finalizers:
    """Clean-ups by the finalizer that stands for them. Filled by one thread, then used by any number."""

    def __init__(self) -> None:
        self._clean_ups: dict[str, CleanUp] = {}

    def register(self, finalizer: str, clean_up: CleanUp) -> None:
        """Have `clean_up(obj)` called before an object goes. It raises while it has not succeeded, and may return what
        it has changed in the object. Raises ValueError for a finalizer that has one."""
        check_finalizer(finalizer)
        if finalizer in self._clean_ups:
            raise ValueError(f"finalizer {finalizer!r} is registered already")
        self._clean_ups[finalizer] = clean_up

    def finalize(self, obj: Object) -> Finalized:
        """Add those that are missing, or if the object is being deleted, clean up and take them off.

        Returns what is then to be written, which is for the caller to do. Raises FinalizersFailed once all had their
        turn, with the same as its `result`. Contract: FIN-01.
        """
        result, errors = Finalized(), []
        deleting = obj.metadata.deletion_timestamp is not None
        for finalizer, clean_up in self._clean_ups.items():
            if not deleting:
                result |= Finalized(updated=add_finalizer(obj, finalizer))
            elif contains_finalizer(obj, finalizer):
                try:
                    result |= clean_up(obj) or Finalized()
                except Exception as err:  # noqa: BLE001 - raised with the others
                    errors.append(err)
                else:
                    result |= Finalized(updated=remove_finalizer(obj, finalizer))
        if errors:
            raise FinalizersFailed.of(errors, result)
        return result

    def __repr__(self) -> str:
        return f"<Finalizers: {', '.join(self._clean_ups) or 'none'}>"


# ---- one, around a reconciler --------------------------------------------------------------------------------------

Reconciles = Callable[[Any, Any], Result | None]


class _Ran(NamedTuple):
    """A reconcile right after the finalizer was written: the version it saw, and what it answered."""

    version: str
    result: Result | None


def with_finalizer(finalizer: str, *, cleanup: Reconciles) -> Callable[[Reconciles], Reconciles]:
    """Have `cleanup(obj, ctx)` called before an object goes that the decorated reconciler has ever been called for.

    The reconciler is one of `(obj, ctx)` or `(request, ctx)`, and is not called for what is being deleted or gone.
    What `cleanup` raises is retried; with `Result(requeue_after=…)` it says that it is not done yet. It may be called
    again after it has succeeded, if this process ends in between. Contract: FIN-02 to FIN-04.
    """
    check_finalizer(finalizer)
    return lambda reconcile: _WithFinalizer(finalizer, cleanup, reconcile)


def has_finalizer(reconcile: object) -> bool:
    """Whether it is a reconciler that `with_finalizer` has made."""
    return isinstance(reconcile, _WithFinalizer)


class _WithFinalizer:
    """A reconciler with a finalizer around it. No closure, so that other processes can be told of it: by its name, if
    it is a decorated function, else by what it is made of."""

    def __init__(self, finalizer: str, cleanup: Reconciles, reconcile: Reconciles) -> None:
        self._finalizer = finalizer
        self._cleanup = cleanup
        self._by_request = _takes_request(reconcile)
        self.__wrapped__ = reconcile
        self.__name__ = getattr(reconcile, "__name__", "reconcile")
        self.__qualname__ = getattr(reconcile, "__qualname__", self.__name__)
        self.__doc__ = reconcile.__doc__
        self.__module__ = reconcile.__module__

    def __call__(self, obj: Any, ctx: Context[Any]) -> Result | None:
        finalizer = self._finalizer
        if obj.metadata.deletion_timestamp is not None:
            return _finish(obj, ctx, finalizer, self._cleanup)
        memo = ctx.memo.setdefault((with_finalizer, finalizer), {})
        if not contains_finalizer(obj, finalizer):
            obj = put_on(ctx, obj, finalizer)
            memo["adding"] = True
        elif _is_echo(obj, ctx, memo):
            return typing.cast(_Ran, memo["ran"]).result
        result = self.__wrapped__(ctx.request if self._by_request else obj, ctx)
        memo.pop("ran", None)
        if memo.pop("adding", False):
            memo["ran"] = _Ran(obj.metadata.resource_version, result)
        return result

    def __reduce__(self) -> str | tuple[Any, ...]:
        found: Any = sys.modules.get(self.__module__)
        for name in self.__qualname__.split("."):
            found = getattr(found, name, None)
        return self.__qualname__ if found is self else (type(self), (self._finalizer, self._cleanup, self.__wrapped__))

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def check_finalizer(finalizer: str) -> None:
    """Raises ValueError for what is no name of a finalizer."""
    domain, slash, name = finalizer.partition("/")
    if not domain or not slash or not name:
        raise ValueError(f"a finalizer is named domain/name, as in example.com/cleanup, not {finalizer!r}")


def _takes_request(reconcile: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(reconcile).parameters.values()), None)
    if first is not None and first.name == "self":
        raise TypeError("with_finalizer goes around a function of (obj, ctx): with_finalizer(...)(self.reconcile)")
    return first is not None and (first.name == "request" or first.annotation in (Request, "Request"))


def _is_echo(obj: Any, ctx: Context[Any], memo: dict[str, Any]) -> bool:
    """Whether the object is as it was when it was last reconciled, and is looked at only because of our own write."""
    ran = memo.get("ran")
    if ran is None or obj.metadata.resource_version != ran.version or not ctx.reasons:
        return False
    return all(
        reason.event in _OWN_EVENTS
        and reason.object == str(ctx.request)
        and reason.source.rstrip(">").rpartition(" ")[2] in (type(obj).__name__, obj.kind)
        for reason in ctx.reasons
    )


def _finish(obj: T, ctx: Context[Any], finalizer: str, cleanup: Reconciles) -> Result | None:
    """Clean up and let the object go. What others still hold it for is not our business."""
    if not contains_finalizer(obj, finalizer):
        return None
    memo = ctx.memo.setdefault((with_finalizer, finalizer), {})
    if not memo.get("clean"):  # else the cache has not heard of it yet
        result = cleanup(obj, ctx)
        if result is not None and (result.requeue_after > 0.0 or result.requeue):
            return result
        memo["clean"] = True
    release(ctx, obj, finalizer)
    return None


def put_on(ctx: Context[Any], obj: T, finalizer: str) -> T:
    """Add it on the server, if the object is still what we know. Raises Conflict if it is not."""
    meta = obj.metadata
    patch = {
        "metadata": {
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "finalizers": [*(meta.finalizers or ()), finalizer],
        }
    }
    return ctx.client.patch(obj, patch, patch_type="merge")


def release(ctx: Context[Any], obj: Object, finalizer: str) -> None:
    """Take it off on the server; fine if it is not there any more."""
    take_off(
        obj,
        finalizer,
        patch=lambda at_hand, patch: ctx.client.patch(at_hand, patch, patch_type="json"),
        read=lambda: _at_the_server(ctx, obj),
    )


def take_off(
    obj: Object, finalizer: str, *, patch: Callable[[Any, list[Any]], Any], read: Callable[[], Object | None]
) -> bool:
    """Remove a finalizer on the server, wherever in the list it is by now; returns whether it was still there.

    `patch(obj, operations)` sends a JSON patch and returns the answer; `read()` gives the object as the server has it.
    Fine if the object is gone, or another one has its name. Contract: FIN-02, FIN-03.
    """
    at_hand: Object | None = obj
    taken = False
    for _ in range(_TRIES):
        if at_hand is None or at_hand.metadata.uid != obj.metadata.uid or not contains_finalizer(at_hand, finalizer):
            return taken
        try:
            at_hand = patch(at_hand, _removal(at_hand, finalizer))
            taken = True
        except NotFound:
            return taken
        except (Invalid, Conflict):  # others have written meanwhile
            at_hand = read()
    raise K8srtError(f"{obj!r}: finalizer {finalizer} could not be taken off, others change the object all the time")


def _removal(obj: Any, finalizer: str) -> list[dict[str, Any]]:
    place = f"/metadata/finalizers/{obj.metadata.finalizers.index(finalizer)}"
    return [
        {"op": "test", "path": "/metadata/uid", "value": obj.metadata.uid},
        {"op": "test", "path": place, "value": finalizer},
        {"op": "remove", "path": place},
    ]


def _at_the_server(ctx: Context[Any], obj: Object) -> Object | None:
    kind = type(obj) if type(obj).__info__ is not None else obj.gvk
    try:
        found: Object = ctx.api_reader.resource(kind, obj.metadata.namespace or "").get(obj.metadata.name)
    except NotFound:
        return None
    return found
