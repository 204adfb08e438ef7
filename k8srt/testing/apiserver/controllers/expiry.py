"""Events do not stay: each goes when nobody has written it for a while, as a server's storage lets them go."""

from __future__ import annotations

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.timed import TimedWorker
from k8srt.testing.apiserver.storage import NoSuchKey, Stale
from k8srt.testing.apiserver.watches import Change


class EventExpiry(TimedWorker):
    """Removes events `ttl` seconds after they were written last."""

    name = "events"

    def __init__(self, cluster: Cluster, ttl: float) -> None:
        super().__init__(cluster)
        self._ttl = ttl

    def wants(self, table: str, change: Change) -> bool:
        return table == "events" and change.after is not None

    def handle(self, table: str, change: Change) -> None:
        assert change.after is not None
        self.after(self._ttl, change.after)

    def due(self, what: object) -> None:
        try:
            self.cluster.storage.delete("events", what)  # type: ignore[arg-type]
        except (NoSuchKey, Stale):
            pass  # gone, or written again, for which there is a later time
