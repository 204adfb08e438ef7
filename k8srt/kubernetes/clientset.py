"""`Clientset`: every built-in resource of one cluster, by group and version.

    cs = Clientset(config)
    cs.core_v1.pods("default").get("web-0")
    cs.resource(Widget, namespace="default")      # the same for any class

Groups are loaded when first touched. All of them share connections and one rate limiter. Making a clientset opens no
socket and starts no thread; it may be used by any thread, and in a child process after a fork, which then opens
connections of its own.

Contract: CLI-01, USR-10, USR-14, USR-39.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Self, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.errors import ConfigError
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes.typed._index import GROUPS
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.typed._index import Groups
else:
    Groups = object

T = TypeVar("T", bound=Object)


class Clientset(Groups):
    """The clients of all groups. `namespace` is the current one by the configuration; nothing uses it unasked."""

    def __init__(self, config: Config, *, namespace: str = "default", clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        if config.rate_limiter is None and config.qps > 0 and config.burst <= 0:
            raise ConfigError("burst must be greater than 0 when qps is set and no rate_limiter is given")
        self.rest_client = RESTClient(config, clock=clock)
        self.namespace = namespace

    @property
    def config(self) -> Config:
        """The configuration it was made with; changing it changes nothing."""
        return self.rest_client.config.copy()

    def resource(self, cls: type[T], namespace: str = "") -> ResourceClient[T]:
        """The client of the resource that a class stands for; "" means all namespaces."""
        if not isinstance(cls, type):
            raise NotImplementedError(
                f"resource({cls!r}): looking resources up by name is not there yet; give the class, "
                "or use DynamicClient with a GroupVersionResource"
            )
        return ResourceClient(self.rest_client, cls, namespace)

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

    def close(self) -> None:
        """Close the idle connections. Requests after that raise TransportError; a second close does nothing."""
        self.rest_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Clientset of {self.rest_client.url}{self.rest_client.base_path}>"
