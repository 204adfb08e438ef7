"""One more cluster: its cache and its client, for controllers that span several.

    other = Cluster(other_config)
    mgr.add(other)                              # started and stopped with the manager, before its controllers
    controller.watch(Kind(other.cache, Pod, handler))

Contract: CLU-01 to CLU-04.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from k8srt.controller.cache.cache import Cache
from k8srt.controller.client.client import Client
from k8srt.controller.client.server_warnings import log_warning
from k8srt.controller.recorders import Recorders
from k8srt.errors import ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config
from k8srt.tools.events.broadcaster import EventBroadcaster
from k8srt.tools.events.recorder import EventRecorder
from k8srt.tools.record.recorder import EventRecorder as CoreRecorder
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked


def clientset_for(config: Config, clock: Clock) -> Clientset:
    """A clientset without a rate limit unless the configuration sets one. Raises ConfigError. Contract: CLU-02."""
    if not isinstance(config, Config):
        raise ConfigError(f"a manager needs a Config or a Clientset, not {config!r}")
    own = config.copy()
    if not own.qps:
        own.qps = -1.0  # the server knows best how to share itself out
    if own.warning_handler is None:
        own.warning_handler = log_warning
    return Clientset(own, clock=clock)


class Parts:
    """What clusters and managers have in common: a cache, a client, recorders. Thread-safe.

    A `Clientset` that is given is closed by somebody else. `client` are options of `Client`, `cache` those of `Cache`.
    """

    def __init__(
        self,
        config: Config | Clientset,
        *,
        clock: Clock,
        client: Mapping[str, Any] | None = None,
        cache: Mapping[str, Any] | None = None,
        broadcaster: EventBroadcaster | None = None,
    ) -> None:
        """Opens no connection and starts no thread. Raises ConfigError."""
        self._owned = not isinstance(config, Clientset)
        self.clock = clock
        self.clientset = config if isinstance(config, Clientset) else clientset_for(config, clock)
        self.cache = Cache(self.clientset, clock=clock, **(cache or {}))
        self.client = Client(self.clientset, self.cache, **(client or {}))
        self._recorders = Recorders(self.clientset, broadcaster, clock)

    @property
    def config(self) -> Config:
        """The configuration of its clients; changing it changes nothing."""
        return self.clientset.config

    @property
    def api_reader(self) -> Clientset:
        """Reads from the server, past the cache."""
        return self.clientset

    @property
    def field_indexer(self) -> Cache:
        """What indexes fields: the cache."""
        return self.cache

    @property
    def rest_mapper(self) -> Any:
        """Which resource a kind stands for on this server."""
        return self.clientset.mapper

    def recorder(self, name: str) -> EventRecorder:
        """Records events in the name of a controller, in the form events.k8s.io/v1. Contract: EVR-01."""
        return self._recorders.recorder(name)

    def core_recorder(self, name: str) -> CoreRecorder:
        """Records events in the name of a component, in the form core/v1. Contract: EVR-01."""
        return self._recorders.core_recorder(name)

    def _close(self) -> None:
        """Have the recorders say what they have left to say, and close connections."""
        self._recorders.shutdown()
        if self._owned:
            self.clientset.close()


class Cluster(Parts):
    """See the module. A runnable of the caches. Thread-safe. A `Clientset` that is given is closed by somebody else."""

    need_leader_election = False

    def __init__(
        self, config: Config | Clientset, *, namespace: str = "", name: str = "", clock: Clock = SYSTEM, **cache: Any
    ) -> None:
        """Opens no connection and starts no thread. Raises ConfigError."""
        super().__init__(config, clock=clock, cache={"namespace": namespace, **cache})
        self.name = name or "cluster"
        self._halt = Stop()

    def start(self, stop: threading.Event) -> None:
        """Fill the cache and keep it so, until `stop` or `stop()`. Blocks."""
        with linked(stop) as told:
            forget = told.on_set(self._halt.set)
            try:
                self.cache.start(self._halt)
            finally:
                forget()
                self._close()

    def stop(self) -> None:
        """Take it out of a running manager: its cache ends, and with it every source that hangs on it: CLU-04."""
        self._halt.set()

    def wait_for_sync(self, timeout: float | None = None, *, stop: threading.Event | None = None) -> bool:
        """Wait until its cache has synced; returns whether it has."""
        return self.cache.wait_for_sync(timeout, stop=stop)

    def unsynced(self) -> list[str]:
        """The kinds that have not synced yet."""
        return self.cache.unsynced()

    def debug_state(self) -> Any:
        """What its informers are up to."""
        return self.cache.debug_state()

    def __repr__(self) -> str:
        return f"<Cluster {self.name} at {self.clientset.rest_client.url}>"
