"""All stand-ins together: which change wakes whom.

Deployment ──▶ ReplicaSet ──▶ Pod ──▶ kubelet         what is wanted goes down
Deployment ◀── ReplicaSet ◀── Pod ◀── kubelet         what is so goes up
owner gone ──▶ garbage collectors of whatever it owned
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from k8srt.api.apps.v1 import Deployment, ReplicaSet
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.owners import controller_of
from k8srt.informers import ResourceInformer, SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.tools.cache import DeletedFinalStateUnknown
from k8srt.util.clock import SYSTEM, Clock

from .deployments import Deployments
from .garbage import GarbageCollector
from .kubelet import Kubelet
from .loop import Loop
from .replica_sets import ReplicaSets

Handle = Callable[[Any], None]
"""Is given an object that has come, changed or gone, or the tombstone of one."""

BY_OWNER = "owner"
DEPENDENTS: tuple[type[Object], ...] = (Deployment, ReplicaSet, Pod)


class StandIns:
    """The controllers and the kubelet of a small cluster; a context manager.

    They work in one namespace, or with "" in all. `owners` are kinds beside the built-in ones whose objects own
    others; they may come to be served later. Delays are seconds.
    """

    def __init__(
        self,
        cs: Clientset,
        namespace: str = "",
        *,
        owners: Sequence[type[Object]] = (),
        start_delay: float = 0.5,
        stop_delay: float = 0.2,
        clock: Clock = SYSTEM,
    ) -> None:
        self._factory = SharedInformerFactory(cs, namespace=namespace)
        self._owners = SharedInformerFactory(cs, namespace=namespace)  # which nobody waits for
        kubelet = Kubelet(cs, start_delay=start_delay, stop_delay=stop_delay, clock=clock)
        self._deployments = Loop("deployments", Deployments(cs, clock=clock).reconcile, clock=clock)
        self._replica_sets = Loop("replica-sets", ReplicaSets(cs).reconcile, clock=clock)
        self._kubelet = Loop("kubelet", kubelet.reconcile, clock=clock)
        self._collectors = {
            kind: Loop(f"garbage-{kind.__name__.lower()}", GarbageCollector(cs, kind).reconcile, clock=clock)
            for kind in DEPENDENTS
        }
        self._stack = ExitStack()
        self._listen(owners)

    def _listen(self, owners: Sequence[type[Object]]) -> None:
        _on_change(self._of(Deployment), self._deployments.add_object)
        _on_change(self._of(ReplicaSet), self._replica_sets.add_object, _to_owner(self._deployments))
        _on_change(self._of(Pod), self._kubelet.add_object, _to_owner(self._replica_sets))
        for kind, collector in self._collectors.items():
            self._of(kind).informer.add_indexers({BY_OWNER: _owner_uid})
            _on_change(self._of(kind), collector.add_object)
        for kind in (Deployment, ReplicaSet):
            self._of(kind).informer.add_event_handler(on_delete=self._orphan)
        for owner in owners:
            self._owners.resource(owner).informer.add_event_handler(on_delete=self._orphan)

    def _of(self, kind: type[Any]) -> ResourceInformer[Any]:
        return self._factory.resource(kind)

    def _orphan(self, obj: Any) -> None:
        """Have the garbage collectors look at all that the object owned."""
        for kind, collector in self._collectors.items():
            for dependent in self._of(kind).informer.indexer.by_index(BY_OWNER, _last_known(obj).metadata.uid):
                collector.add_object(dependent)

    def __enter__(self) -> Self:
        with self._stack as stack:
            stack.enter_context(self._factory)
            self._factory.wait_for_cache_sync(timeout=60.0).raise_for_error()
            for loop in self._loops():
                stack.enter_context(loop)
            stack.enter_context(self._owners)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def _loops(self) -> Iterator[Loop]:
        yield from (self._deployments, self._replica_sets, self._kubelet, *self._collectors.values())


def _on_change(of: ResourceInformer[Any], *handlers: Handle) -> None:
    for handle in handlers:
        of.informer.add_event_handler(on_add=handle, on_update=_newer(handle), on_delete=handle)


def _newer(handle: Handle) -> Callable[[Any, Any], None]:
    return lambda old, new: handle(new)


def _to_owner(loop: Loop) -> Handle:
    def handle(obj: Any) -> None:
        last = _last_known(obj)
        if (owner := controller_of(last)) is not None:
            loop.add(f"{last.metadata.namespace}/{owner.name}")

    return handle


def _owner_uid(obj: Object) -> list[str]:
    owner = controller_of(obj)
    return [owner.uid] if owner is not None else []


def _last_known(obj: Any) -> Any:
    return obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
