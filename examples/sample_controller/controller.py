"""A controller as client-go's users write one by hand: informers, a work queue, workers, one function that reconciles.

    server ──watch──▶ informers ──keys──▶ queue ──▶ workers ──▶ reconcile ──requests──▶ server

Handlers only say *which* Foo may need work; `reconcile` looks at what is so now, and brings it nearer to what is
wanted. It never asks what happened: events may be missed, repeated or merged, and the outcome is the same.

A reconcile that raises is tried again, later each time. One Foo is never in the hands of two workers.
"""

from __future__ import annotations

import logging
from threading import Thread
from types import TracebackType
from typing import Self

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.owners import controller_of, is_controlled_by
from k8srt.errors import AlreadyExists, Conflict, K8srtError, NotFound
from k8srt.informers import ResourceInformer
from k8srt.tools.cache import DeletedFinalStateUnknown, meta_namespace_key, split_meta_namespace_key
from k8srt.util.threads import spawn
from k8srt.util.workqueue import RateLimitingQueue

from .deployment import deployment_for
from .events import EventRecorder
from .foo.api.v1alpha1 import Foo
from .foo.client import Clientset

log = logging.getLogger(__name__)

GROUP = "samplecontroller.k8s.io"
BY_DEPLOYMENT = "deployment"  # Foos by the Deployment they ask for
BY_OWNER = "owner"  # Deployments by the uid of who controls them


class Outdated(K8srtError):
    """What our cache says isn't so any more."""


STALE = (AlreadyExists, Conflict, NotFound, Outdated)  # what comes of acting on what was so a moment ago


class Controller:
    """Sees to it that each Foo has its Deployment. A context manager: workers run until it is left."""

    def __init__(
        self,
        cs: Clientset,
        deployments: ResourceInformer[Deployment],
        foos: ResourceInformer[Foo],
        recorder: EventRecorder,
        *,
        workers: int = 2,
        queue: RateLimitingQueue[str] | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"at least one worker is needed, not {workers}")
        self.queue = queue if queue is not None else RateLimitingQueue[str](name="foos")
        self._cs = cs
        self._deployments = deployments
        self._foos = foos
        self._recorder = recorder
        self._workers = workers
        self._threads: list[Thread] = []
        self._listen()

    # ---- which Foo may need work ----------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._foos.informer.add_indexers({BY_DEPLOYMENT: _wanted_deployment})
        self._deployments.informer.add_indexers({BY_OWNER: _owner_uid})
        self._foos.informer.add_event_handler(
            on_add=self._enqueue,
            on_update=lambda old, new: self._enqueue(new),
        )  # nothing on delete: garbage collection removes what a Foo owned
        self._deployments.informer.add_event_handler(
            on_add=self._deployment_changed,
            on_update=lambda old, new: self._deployment_changed(new),
            on_delete=self._deployment_changed,
        )

    def _enqueue(self, foo: Foo) -> None:
        self.queue.add(meta_namespace_key(foo))

    def _deployment_changed(self, obj: Deployment | DeletedFinalStateUnknown[Deployment]) -> None:
        """Wake the Foo that controls the Deployment, and whoever waits for its name to become free."""
        key = meta_namespace_key(obj)
        deployment = obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
        owner = controller_of(deployment)
        if owner is not None and owner.kind == "Foo" and owner.api_version.startswith(f"{GROUP}/"):
            self.queue.add(f"{deployment.metadata.namespace}/{owner.name}")
        for foo in self._foos.informer.indexer.by_index(BY_DEPLOYMENT, key):
            self._enqueue(foo)

    # ---- workers --------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Start the workers. The informers have synced by now, or every Foo would look as if it had nothing."""
        self._threads = [spawn("worker-foos", self._work) for _ in range(self._workers)]
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        """Take no new work, finish what is queued, and return when every worker has ended."""
        self.queue.shut_down()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (key := self.queue.get()) is not None:
            try:
                self.reconcile(key)
            except Exception as err:  # noqa: BLE001 - whatever it is, the next Foo is worked on
                self._retry(key, err)
            else:
                self.queue.forget(key)
            finally:
                self.queue.done(key)

    def _retry(self, key: str, err: Exception) -> None:
        if isinstance(err, STALE):
            log.info("%s: somebody was faster than our cache, trying again: %s", key, err)
        elif isinstance(err, K8srtError):
            log.warning("%s: trying again later: %s", key, err)
        else:
            log.error("%s: a bug; trying again later", key, exc_info=err)
        self.queue.add_rate_limited(key)

    # ---- what is so, and what is wanted ---------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        """Bring what a Foo owns to what it asks for, and its status to what is so."""
        namespace, name = split_meta_namespace_key(key)
        foo = self._foos.lister.find(name, namespace)
        if foo is None or foo.metadata.deletion_timestamp:
            return  # it's gone, or about to: what it owned goes with it
        deployment = self._deployments.lister.find(foo.spec.deployment_name, namespace)
        if deployment is None:
            deployment = self._create(foo)
        elif not is_controlled_by(deployment, foo):
            self._refuse(foo)
            return
        elif deployment.spec.replicas != foo.spec.replicas:
            deployment = self._scale(foo, deployment)
        self._remove_former(foo)
        self._report(foo, deployment.status.available_replicas or 0)

    def _create(self, foo: Foo) -> Deployment:
        self._look_again(foo)
        wanted = deployment_for(foo)
        created = self._cs.apps_v1.deployments(foo.metadata.namespace).create(wanted)
        self._tell(foo, "Created", f"created Deployment {wanted.metadata.name} with {_replicas(foo.spec.replicas)}")
        return created

    def _look_again(self, foo: Foo) -> None:
        """Ask the server itself for the Foo: our cache may not have heard that it's gone, and its Deployment with it.

        Nothing may be created for the dead. Raises NotFound, or Outdated.
        """
        live = self._cs.samplecontroller_v1alpha1.foos(foo.metadata.namespace).get(foo.metadata.name)
        if live.metadata.uid != foo.metadata.uid or live.metadata.deletion_timestamp:
            raise Outdated(f"{foo!r} is another one by now, or about to go")

    def _refuse(self, foo: Foo) -> None:
        """Leave a Deployment alone that isn't ours. No error to retry: we hear of it when the name becomes free."""
        name = foo.spec.deployment_name
        message = f"Deployment {name} exists already and belongs to somebody else; it is left alone"
        self._recorder.event(foo, "Warning", "ErrResourceExists", message)

    def _scale(self, foo: Foo, deployment: Deployment) -> Deployment:
        had, wanted = deployment.spec.replicas, foo.spec.replicas
        # What a lister returns is ours to change. What we don't change goes back as it came, and the resource version
        # with it: had somebody been faster, this would be a Conflict.
        deployment.spec.replicas = wanted
        updated = self._cs.apps_v1.deployments(foo.metadata.namespace).update(deployment)
        self._tell(foo, "Scaled", f"set Deployment {foo.spec.deployment_name} to {_replicas(wanted)}; it had {had}")
        return updated

    def _remove_former(self, foo: Foo) -> None:
        """Delete Deployments from when the Foo had another `deploymentName`."""
        for former in self._deployments.informer.indexer.by_index(BY_OWNER, foo.metadata.uid):
            if former.metadata.name != foo.spec.deployment_name:
                self._delete(foo, former)

    def _delete(self, foo: Foo, former: Deployment) -> None:
        deployments = self._cs.apps_v1.deployments(foo.metadata.namespace)
        deployments.delete(former.metadata.name, preconditions={"uid": former.metadata.uid})
        self._tell(foo, "Removed", f"deleted Deployment {former.metadata.name}, which is no longer asked for")

    def _report(self, foo: Foo, available: int) -> None:
        """Write the status if it says something else. The status is a subresource: the spec can't change by this."""
        if foo.status.available_replicas == available:
            return
        foo.status.available_replicas = available
        self._cs.samplecontroller_v1alpha1.foos(foo.metadata.namespace).update_status(foo)
        if available == foo.spec.replicas:
            name = foo.spec.deployment_name
            self._tell(foo, "Synced", f"in sync: Deployment {name} has {_replicas(available)} available")

    def _tell(self, foo: Foo, reason: str, message: str) -> None:
        self._recorder.event(foo, "Normal", reason, message)


def _wanted_deployment(foo: Foo) -> list[str]:
    return [f"{foo.metadata.namespace}/{foo.spec.deployment_name}"]


def _owner_uid(deployment: Deployment) -> list[str]:
    owner = controller_of(deployment)
    return [owner.uid] if owner is not None else []


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"
