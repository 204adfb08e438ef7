"""A cluster that is ready at once and does its background work in the thread of whoever writes.

What a cluster has from the beginning is made once in a process; each `PreparedCluster` starts from a copy of it, which
shares the stored objects. So one costs a fraction of a millisecond, and tests can make thousands.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import lru_cache

from k8srt.testing.apiserver.auth import AUTHENTICATED, User
from k8srt.testing.apiserver.bootstrap import bootstrap, connect
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.accounts import AccountSecrets
from k8srt.testing.apiserver.controllers.aggregation import RoleAggregation
from k8srt.testing.apiserver.controllers.definitions import Definitions
from k8srt.testing.apiserver.controllers.garbage import GarbageCollector
from k8srt.testing.apiserver.controllers.namespaces import NamespaceController
from k8srt.testing.apiserver.controllers.protection import Protection
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.dispatch import Dispatcher
from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.storage import HISTORY, Storage
from k8srt.testing.apiserver.strategies.table import STRATEGIES
from k8srt.util.clock import SYSTEM, Clock

TOKEN = "in-process"
_ADMIN = User("system:admin", "", ("system:masters", AUTHENTICATED))
_BORN = datetime(2026, 1, 1, tzinfo=UTC)


class _Still:
    """The clock by which the beginning is made: the same in every process."""

    def time(self) -> datetime:
        return _BORN


@lru_cache(maxsize=2)
def _beginning(service_accounts: bool) -> Cluster:
    still: Clock = _Still()  # type: ignore[assignment]  # nothing waits while a cluster is made
    registry = Registry(STRATEGIES)
    cluster = Cluster(Storage(), registry, still, random.Random(0), default_service_accounts=service_accounts)
    bootstrap(cluster)
    return cluster


class PreparedCluster:
    """Storage, registry, dispatcher and controllers of one cluster, without a socket or a thread. Thread-safe.

    Who uses it calls `settle` after each request: the controllers then do what was theirs to do. Definitions are always
    looked after; the others are on or off.
    """

    def __init__(
        self,
        *,
        garbage_collection: bool = False,
        namespace_controller: bool = True,
        default_service_accounts: bool = True,
        history: int = HISTORY,
        clock: Clock = SYSTEM,
        seed: int | None = None,
    ) -> None:
        beginning = _beginning(default_service_accounts)
        self.cluster = Cluster(
            beginning.storage.copy(history, clock),
            beginning.registry.fresh(),
            clock,
            random.Random(seed),
            default_service_accounts=default_service_accounts,
        )
        connect(self.cluster)
        definitions = Definitions(self.cluster)
        self.cluster.definitions = definitions
        self._workers: list[Worker] = [definitions, RoleAggregation(self.cluster)]
        if default_service_accounts:
            self._workers.append(AccountSecrets(self.cluster))
        if garbage_collection:
            collector = GarbageCollector(self.cluster)
            collector.learn()
            self._workers.append(collector)
        if namespace_controller:
            self._workers += [NamespaceController(self.cluster), Protection(self.cluster)]
        self.dispatcher = Dispatcher(self.cluster, tokens={TOKEN: _ADMIN})

    def settle(self) -> None:
        """Let the controllers work until there is nothing left to do, in the calling thread."""
        busy = True
        while busy:
            busy = False
            for worker in self._workers:
                busy = worker.settle() or busy

    def close(self) -> None:
        """End every watch; later ones end at once. Twice is fine."""
        self.cluster.storage.close()
