"""`Clientset`: every built-in resource of one cluster, by group and version.

    cs = Clientset(config)
    cs.core_v1.pods("default").get("web-0")
    cs.resource(Widget, namespace="default")      # the same for any class
    cs.resource("widgets.example.com")            # or for any name that the server knows
    cs.api_resources()                            # what there is

Groups are loaded when first touched. All of them share connections and one rate limiter. Making a clientset opens no
socket and starts no thread; it may be used by any thread, and in a child process after a fork, which then opens
connections of its own.

Contract: CLI-01, USR-10, USR-14, USR-39.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import ConfigError
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes.typed._index import GROUPS
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.rest.connected import Connected
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.discovery.memory import MemCacheClient
    from k8srt.kubernetes.lookup import ResourceTable
    from k8srt.kubernetes.manifests.outcomes import Outcomes
    from k8srt.kubernetes.typed._index import Groups
    from k8srt.restmapper.mapper import RESTMapper
else:
    Groups = object

T = TypeVar("T", bound=Object)


class Clientset(Connected, Groups):
    """The clients of all groups. `namespace` is the current one by the configuration; nothing uses it unasked."""

    def __init__(self, config: Config, *, namespace: str = "default", clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        if config.rate_limiter is None and config.qps > 0 and config.burst <= 0:
            raise ConfigError("burst must be greater than 0 when qps is set and no rate_limiter is given")
        self.rest_client = RESTClient(config, clock=clock)
        self.namespace = namespace
        self._lock = threading.Lock()  # guards what follows
        self._looking_up: tuple[MemCacheClient, RESTMapper] | None = None

    @property
    def config(self) -> Config:
        """The configuration it was made with; changing it changes nothing."""
        return self.rest_client.config.copy()

    # ---- what the server serves -----------------------------------------------------------------------------------

    @property
    def discovery(self) -> MemCacheClient:
        """What the server serves, asked for once and kept; `discovery.invalidate()` forgets it."""
        return self._lookups()[0]

    @property
    def mapper(self) -> RESTMapper:
        """Which resource a name, a short name or a kind stands for on this server."""
        return self._lookups()[1]

    def _lookups(self) -> tuple[MemCacheClient, RESTMapper]:
        """Made when first asked for, so that who never asks loads none of it."""
        with self._lock:
            if self._looking_up is None:
                from k8srt.restmapper.mapper import RESTMapper

                discovery = self._new_discovery()
                self._looking_up = (discovery, RESTMapper(discovery))
            return self._looking_up

    def _new_discovery(self) -> MemCacheClient:
        from k8srt.discovery.client import DiscoveryClient
        from k8srt.discovery.memory import MemCacheClient

        return MemCacheClient(DiscoveryClient.over(self.rest_client))

    def api_resources(
        self,
        *,
        namespaced: bool | None = None,
        api_group: str | None = None,
        verbs: Iterable[str] = (),
        categories: Iterable[str] = (),
    ) -> ResourceTable:
        """The resources that the server has now, each in its preferred version: a list that prints as a table.

        The keywords narrow it, as those of `kubectl api-resources` do; "" is the core group. Groups that cannot be
        asked are left out and named in `failed`.
        """
        from k8srt.kubernetes.lookup import list_resources

        self.discovery.invalidate()
        return list_resources(
            self.discovery, namespaced=namespaced, api_group=api_group, verbs=verbs, categories=categories
        )

    # ---- any resource ---------------------------------------------------------------------------------------------

    @overload
    def resource(self, which: type[T], namespace: str = "") -> ResourceClient[T]: ...
    @overload
    def resource(
        self, which: str | GroupVersionResource | GroupVersionKind, namespace: str = ""
    ) -> ResourceClient[Unstructured]: ...

    def resource(self, which: Any, namespace: str = "") -> ResourceClient[Any]:
        """The client of a resource; "" means all namespaces.

        A class gives its own objects, and asks the server nothing. Text as kubectl takes it ("widgets.example.com",
        "Widget", "deploy", "deployments.v1.apps") or the names of a resource or kind are looked up with `mapper`, and
        give `Unstructured`. Raises NoMatch for what the server does not serve, AmbiguousMatch for what could be two.
        """
        if isinstance(which, type) and issubclass(which, Object):
            return ResourceClient(self.rest_client, which, namespace)
        from k8srt.kubernetes.lookup import find_resource

        return ResourceClient(self.rest_client, Unstructured, namespace, info=find_resource(self.mapper, which))

    def apply(
        self,
        source: Any,
        *,
        field_manager: str = "k8srt",
        force: bool = False,
        namespace: str = "",
        dry_run: bool = False,
        wait_for_crds: bool = True,
        timeout: float | None = 60.0,
        stop: threading.Event | None = None,
        progress: bool = False,
        recursive: bool = False,
    ) -> Outcomes:
        """Apply whole manifests: objects, dicts, YAML text, files, folders. See `k8srt.kubernetes.manifests.apply`."""
        from k8srt.kubernetes import manifests

        return manifests.apply(
            self,
            source,
            field_manager=field_manager,
            force=force,
            namespace=namespace,
            dry_run=dry_run,
            wait_for_crds=wait_for_crds,
            timeout=timeout,
            stop=stop,
            progress=progress,
            recursive=recursive,
        )

    def delete(
        self,
        source: Any,
        *,
        namespace: str = "",
        ignore_not_found: bool = True,
        propagation_policy: str | None = None,
        wait: bool = False,
        timeout: float | None = 60.0,
        stop: threading.Event | None = None,
        progress: bool = False,
        recursive: bool = False,
    ) -> Outcomes:
        """Delete what manifests name, in the reverse order. See `k8srt.kubernetes.manifests.delete`."""
        from k8srt.kubernetes import manifests

        return manifests.delete(
            self,
            source,
            namespace=namespace,
            ignore_not_found=ignore_not_found,
            propagation_policy=propagation_policy,
            wait=wait,
            timeout=timeout,
            stop=stop,
            progress=progress,
            recursive=recursive,
        )

    # ---- groups ---------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """A group client, loaded when first asked for and kept."""
        found = GROUPS.get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        module, cls = found
        client = getattr(importlib.import_module(module), cls)(self.rest_client)
        setattr(self, name, client)
        return client

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *GROUPS})
