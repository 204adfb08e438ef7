"""The sample controller on the runtime: what is left to write is what Foos are about.

Informers, the queue, workers, retries, events and the end of it all are the manager's. Beside `sample_controller`,
which does the same by hand, it shows what the runtime takes over.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.owners import controller_of, is_controlled_by
from k8srt.controller import Builder, Context, Manager, Request
from k8srt.errors import K8srtError

from ..sample_controller.deployment import deployment_for
from ..sample_controller.foo.api.v1alpha1 import Foo

COMPONENT = "sample-controller"
BY_DEPLOYMENT = "spec.deploymentName"  # Foos by the Deployment they ask for
BY_OWNER = "controlledBy"  # Deployments by the uid of who controls them


class Outdated(K8srtError):
    """What our cache says isn't so any more."""


class Foos:
    """Sees to it that each Foo has its Deployment."""

    def __init__(self, mgr: Manager, *, workers: int = 2) -> None:
        """Adds itself to the manager."""
        self._cache = mgr.cache
        self._recorder = mgr.core_recorder(COMPONENT)
        mgr.cache.index_field(Foo, BY_DEPLOYMENT, lambda foo: [foo.spec.deployment_name])
        mgr.cache.index_field(Deployment, BY_OWNER, _owner_uid)
        self.controller = (
            Builder(mgr)
            .for_(Foo)
            .owns(Deployment)
            .watches(Deployment, map=self._waiting_for)
            .named("foo")
            .with_options(workers=workers)
            .build(self.reconcile)
        )

    def _waiting_for(self, deployment: Deployment) -> Iterator[Request]:
        """Whoever wants a Deployment of this name: it may have become free."""
        meta = deployment.metadata
        for foo in self._cache.list(Foo, namespace=meta.namespace, field_selector={BY_DEPLOYMENT: meta.name}):
            yield Request.of(foo)

    # ---- what is so, and what is wanted ---------------------------------------------------------------------------

    def reconcile(self, foo: Foo, ctx: Context) -> None:
        """Bring what a Foo owns to what it asks for, and its status to what is so."""
        if foo.metadata.deletion_timestamp:
            return  # what it owned goes with it
        deployment = ctx.client.get_or_none(Deployment, f"{foo.metadata.namespace}/{foo.spec.deployment_name}")
        if deployment is None:
            deployment = self._create(foo, ctx)
        elif not is_controlled_by(deployment, foo):
            self._refuse(foo)
            return
        elif deployment.spec.replicas != foo.spec.replicas:
            deployment = self._scale(foo, deployment, ctx)
        self._remove_former(foo, ctx)
        self._report(foo, deployment.status.available_replicas or 0, ctx)

    def _create(self, foo: Foo, ctx: Context) -> Deployment:
        self._look_again(foo, ctx)
        created = ctx.client.create(deployment_for(foo))
        self._tell(foo, "Created", f"created Deployment {created.metadata.name} with {_replicas(foo.spec.replicas)}")
        return created

    def _look_again(self, foo: Foo, ctx: Context) -> None:
        """Ask the server itself for the Foo: our cache may not have heard that it's gone, and its Deployment with it.

        Nothing may be created for the dead. Raises NotFound, or Outdated.
        """
        live = ctx.api_reader.resource(Foo, foo.metadata.namespace).get(foo.metadata.name)
        if live.metadata.uid != foo.metadata.uid or live.metadata.deletion_timestamp:
            raise Outdated(f"{foo!r} is another one by now, or about to go")

    def _refuse(self, foo: Foo) -> None:
        """Leave a Deployment alone that isn't ours. No error to retry: we hear of it when the name becomes free."""
        name = foo.spec.deployment_name
        message = f"Deployment {name} exists already and belongs to somebody else; it is left alone"
        self._recorder.event(foo, "Warning", "ErrResourceExists", message)

    def _scale(self, foo: Foo, deployment: Deployment, ctx: Context) -> Deployment:
        had, wanted = deployment.spec.replicas, foo.spec.replicas
        deployment.spec.replicas = wanted  # what the cache returns is ours to change
        updated = ctx.client.update(deployment)
        self._tell(foo, "Scaled", f"set Deployment {foo.spec.deployment_name} to {_replicas(wanted)}; it had {had}")
        return updated

    def _remove_former(self, foo: Foo, ctx: Context) -> None:
        """Delete Deployments from when the Foo had another `deploymentName`."""
        owned = {BY_OWNER: foo.metadata.uid}
        for former in ctx.client.list(Deployment, namespace=foo.metadata.namespace, field_selector=owned):
            name = former.metadata.name
            if name != foo.spec.deployment_name:
                ctx.client.delete(former, preconditions={"uid": former.metadata.uid})
                self._tell(foo, "Removed", f"deleted Deployment {name}, which is no longer asked for")

    def _report(self, foo: Foo, available: int, ctx: Context) -> None:
        """Write the status if it says something else."""
        if foo.status.available_replicas == available:
            return
        foo.status.available_replicas = available
        ctx.client.update_status(foo)
        if available == foo.spec.replicas:
            name = foo.spec.deployment_name
            self._tell(foo, "Synced", f"in sync: Deployment {name} has {_replicas(available)} available")

    def _tell(self, foo: Foo, reason: str, message: str) -> None:
        self._recorder.event(foo, "Normal", reason, message)


def _owner_uid(deployment: Deployment) -> list[str]:
    owner = controller_of(deployment)
    return [owner.uid] if owner is not None else []


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"
