"""`FakeClientset`: a clientset over a cluster in memory, without HTTP.

    fake = FakeClientset(Namespace(metadata=ObjectMeta(name="shop")), "manifests/")
    reconcile(fake, "shop/web")
    assert fake.actions.writes().lines() == ["create deployments.apps shop/web"]

It is a `Clientset` in every respect, and the cluster behind it is that of `k8srt.testing.APIServer`: versions,
conflicts, uids, defaults, validation, selectors, deletes and server-side apply are what they are there. What it leaves
out is the network and the time things take: no sockets, no threads; what controllers of a cluster do is done when the
call that caused it returns.

Contract: CLI-29 to CLI-36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import StatusError
from k8srt.kubernetes.clientset import Clientset
from k8srt.kubernetes.manifests.sources import Source
from k8srt.rest.config import Config
from k8srt.testing.apiserver.inprocess import InProcess
from k8srt.testing.apiserver.preload import preload, serve
from k8srt.testing.apiserver.prepared import TOKEN, PreparedCluster
from k8srt.testing.fake.actions import Action, Actions, Named, verb_of
from k8srt.testing.fake.reactors import Reactor, WatchReactor
from k8srt.testing.fake.refusals import refusal
from k8srt.testing.fake.server import FakeServer
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.dynamic import DynamicClient
    from k8srt.metadata import MetadataClient
    from k8srt.testing.apiserver.faults import Faults
    from k8srt.testing.fake.discovery import FakeDiscovery

HOST = "http://fake.invalid"


class FakeClientset(Clientset):
    """A clientset for unit tests. Made in well under a millisecond; thread-safe; `close` ends its watches.

    `objects` are what the cluster holds, as `load` takes them. `garbage_collection`, off unless asked for, removes
    what has lost its owners; `namespace_controller` empties and removes namespaces that are deleted. With a `seed`,
    uids and generated names are the same in every run; `clock` gives the time of objects and ends watches.
    """

    def __init__(
        self,
        *objects: Source,
        namespace: str = "default",
        garbage_collection: bool = False,
        namespace_controller: bool = True,
        default_service_accounts: bool = True,
        clock: Clock = SYSTEM,
        seed: int | None = None,
    ) -> None:
        """Raises DecodeError and StatusError for objects that cannot be taken, naming which."""
        self._prepared = PreparedCluster(
            garbage_collection=garbage_collection,
            namespace_controller=namespace_controller,
            default_service_accounts=default_service_accounts,
            clock=clock,
            seed=seed,
        )
        self._server = FakeServer(self._prepared)
        self._clock = clock
        super().__init__(self._config_for(self._server.handle), namespace=namespace, clock=clock)
        self.load(*objects)

    def _config_for(self, handle: Callable[..., Any]) -> Config:
        transport = InProcess(handle, clock=self._clock, settle=self._prepared.settle)
        return Config(host=HOST, bearer_token=TOKEN, qps=-1.0, transport=transport)

    # ---- state

    def load(self, *sources: Source, namespace: str = "") -> list[Unstructured]:
        """Put objects into the cluster as they are, status and uid included, and return them as stored.

        Sources are objects, dicts, lists, YAML text, files and folders. Definitions come first and are served at once;
        missing namespaces are made; what is there already is replaced; a kind of a group that nothing serves is served
        from then on. Nothing is recorded and no reactor asked. Raises DecodeError and StatusError naming file and
        document.
        """
        with self._forgetting_what_was_served():
            stored = preload(self._prepared.cluster, sources, namespace=namespace or self.namespace, guess=True)
        self._prepared.settle()
        return stored

    @contextmanager
    def _forgetting_what_was_served(self) -> Iterator[None]:
        """Have discovery ask again if something else is served afterwards."""
        registry = self._prepared.cluster.registry
        before = registry.revision
        try:
            yield
        finally:
            if registry.revision != before and self._looking_up is not None:
                self.discovery.invalidate()

    def serve(self, *classes: type[Object]) -> None:
        """Serve custom kinds by their classes, without definitions: any field is taken, nothing is checked."""
        cluster = self._prepared.cluster
        with self._forgetting_what_was_served():
            for cls in classes:
                info = cls.__info__
                if info is None or not info.resource:
                    raise ValueError(f"{cls.__name__} is not a resource")
                if cluster.registry.for_kind(info.gvk.group, info.gvk.version, info.gvk.kind) is None:
                    serve(cluster, info)

    @property
    def tracker(self) -> Clientset:
        """A client of the same cluster that no reactor hears of and nothing is recorded of: the rest of the world."""
        return Clientset(
            self._config_for(self._prepared.dispatcher.handle), namespace=self.namespace, clock=self._clock
        )

    def compact(self) -> int:
        """Forget the history: watches from older versions answer 410. Returns the version compacted to."""
        return self._prepared.cluster.storage.compact()

    # ---- other clients of the same cluster, recorded like this one

    @property
    def dynamic(self) -> DynamicClient:
        from k8srt.dynamic import DynamicClient

        return DynamicClient.over(self.rest_client)

    @property
    def metadata(self) -> MetadataClient:
        from k8srt.metadata import MetadataClient

        return MetadataClient.over(self.rest_client)

    @property
    def discovery(self) -> FakeDiscovery:
        """What the cluster serves, or what it was set to serve; the mapper and `resource` go by it."""
        return cast("FakeDiscovery", super().discovery)

    def _new_discovery(self) -> FakeDiscovery:
        from k8srt.testing.fake.discovery import FakeDiscovery

        return FakeDiscovery(self.rest_client, self._server)

    # ---- what was asked

    @property
    def actions(self) -> Actions:
        """Every call so far, of all clients made of this one's `config`, the oldest first; a copy.

        Questions about the server itself (discovery, version) are kept apart, in `discovery.actions`.
        """
        return self._server.actions()

    def clear_actions(self) -> None:
        """Forget the calls so far."""
        self._server.clear()

    # ---- what is answered

    def prepend_reactor(self, verb: str, resource: Named, react: Reactor) -> None:
        """Ask `react` before everybody else about calls that match; see `k8srt.testing.fake.reactors`.

        `verb` is get, list, create, update, patch, delete, deletecollection, or "*"; `resource` a class, "pods",
        "pods/status", "deployments.apps", or "*". Plain "pods" matches subresources, too.
        """
        self._server.before.add(_no_watch(verb), resource, react, first=True)

    def add_reactor(self, verb: str, resource: Named, react: Reactor) -> None:
        """Ask `react` last: about what the cluster does not serve."""
        self._server.after.add(_no_watch(verb), resource, react)

    def prepend_watch_reactor(self, resource: Named, react: WatchReactor) -> None:
        """Ask `react` before everybody else for the `FakeWatcher` of a watch."""
        self._server.watches.add("watch", resource, react, first=True)

    def add_watch_reactor(self, resource: Named, react: WatchReactor) -> None:
        """Ask `react` last: about watches of what the cluster does not serve."""
        self._server.watches_after.add("watch", resource, react)

    def fail(
        self,
        verb: str,
        resource: Named,
        error: type[StatusError] | BaseException,
        *,
        times: int | None = None,
    ) -> None:
        """Let calls that match fail, the next `times` of them, or all: `fail("update", Pod, errors.Conflict, times=1)`.

        A class of StatusError is worded as a server words it; any other exception is raised as a reactor's.
        """
        left = [times]

        def react(action: Action) -> None:
            if left[0] is not None:
                if left[0] <= 0:
                    return
                left[0] -= 1
            raise error if isinstance(error, BaseException) else refusal(error, action=action)

        if verb_of(verb) == "watch":
            self.prepend_watch_reactor(resource, react)
        else:
            self.prepend_reactor(verb, resource, react)

    @property
    def faults(self) -> Faults:
        """What goes wrong, as with `APIServer.faults`: latency, failures, conflicts, watches that end or fall silent.

        Reactors are asked first; the tracker is spared.
        """
        return self._server.faults

    def clear_reactors(self) -> None:
        """Forget all reactors: the cluster answers again."""
        server = self._server
        for chain in (server.before, server.after, server.watches, server.watches_after):
            chain.clear()

    # ---- life

    def close(self) -> None:
        """End every watch and refuse further requests. Twice is fine."""
        self._server.faults.close()
        self._prepared.close()
        super().close()

    def __repr__(self) -> str:
        return f"<FakeClientset, {len(self._server.actions())} actions>"


def _no_watch(verb: str) -> str:
    if verb_of(verb) == "watch":
        raise ValueError("watches are answered by watch reactors: use prepend_watch_reactor or add_watch_reactor")
    return verb
