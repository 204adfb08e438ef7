"""The embedded API server: everything put together, started and stopped."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from k8srt.testing.apiserver.auth import AUTHENTICATED, AlwaysAllow, User
from k8srt.testing.apiserver.bootstrap import bootstrap
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.accounts import AccountSecrets
from k8srt.testing.apiserver.controllers.aggregation import RoleAggregation
from k8srt.testing.apiserver.controllers.definitions import Definitions
from k8srt.testing.apiserver.controllers.expiry import EventExpiry
from k8srt.testing.apiserver.controllers.garbage import GarbageCollector
from k8srt.testing.apiserver.controllers.namespaces import NamespaceController
from k8srt.testing.apiserver.controllers.protection import Protection
from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.datadir import DataDir
from k8srt.testing.apiserver.dispatch import Dispatcher
from k8srt.testing.apiserver.faults import Faults
from k8srt.testing.apiserver.http import HTTPServer
from k8srt.testing.apiserver.jwt import SigningKey, new_key
from k8srt.testing.apiserver.kubeconfig import kubeconfig_text
from k8srt.testing.apiserver.rbac import RBAC
from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.request_log import RequestLog
from k8srt.testing.apiserver.storage import HISTORY, Storage
from k8srt.testing.apiserver.strategies.table import STRATEGIES
from k8srt.testing.apiserver.tls import ServerTLS
from k8srt.testing.apiserver.users import MASTERS
from k8srt.testing.apiserver.webhooks.calls import WebhookCalls
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.apimachinery.unstructured import Unstructured
    from k8srt.kubernetes.manifests.sources import Source
    from k8srt.rest import Config
    from k8srt.testing.apiserver.controllers.simulation.loop import SimulationWorker
    from k8srt.transport.tls import TLSConfig
    from k8srt.util.certificates import Pair


class APIServer:
    """A Kubernetes API server in this process: real HTTP on loopback, everything in memory.

        with APIServer() as server:
            clientset = Clientset(server.config)

    `port` 0 picks a free one. `tokens` maps bearer tokens to users; the server's own token, an administrator's, is
    always among them. With `authorization_mode` "RBAC", roles and bindings decide who may do what; without `anonymous`,
    who shows no credentials is refused. `garbage_collection`, `namespace_controller` and `default_service_accounts`
    switch the background work that a cluster's controller manager does; events go `event_ttl` seconds after they were
    written last, None keeps them. `history` is how many changes each resource keeps for watches.

    With `simulate`, workloads live: there is a node, pods start and end, and deployments, stateful sets, daemon sets,
    jobs, services and budgets are looked after; a `Simulation` says how many nodes there are and how long things take.
    `webhook_services` says where the services are that webhook configurations name: "namespace/name" to "host:port".

    With `tls`, it serves HTTPS with a certificate made for it, and takes client certificates that it has issued; else
    with `certificate` and `private_key`, files in PEM. `client_ca` is a file with the authorities whose client
    certificates are taken instead. In `data_dir`, a folder, the cluster is kept between runs.

    The port is taken when the object is made; a server cannot be started twice. Thread-safe. Raises ConfigError for
    files that cannot be used, and for `tls` without the package `cryptography`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        address: str = "127.0.0.1",
        tokens: Mapping[str, User] | None = None,
        authorization_mode: Literal["AlwaysAllow", "RBAC"] = "AlwaysAllow",
        certificate: str | None = None,
        private_key: str | None = None,
        tls: bool = False,
        client_ca: str | None = None,
        anonymous: bool = True,
        data_dir: str | Path | None = None,
        garbage_collection: bool = True,
        namespace_controller: bool = True,
        default_service_accounts: bool = True,
        history: int = HISTORY,
        event_ttl: float | None = 3600.0,
        simulate: bool | Simulation = False,
        webhook_services: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM,
        seed: int | None = None,
    ) -> None:
        self._kept = DataDir(data_dir) if data_dir is not None else None
        try:
            self._tls = ServerTLS(self._kept, address, tls, certificate, private_key, client_ca)
            self.token = self._recall("token", lambda: secrets.token_hex(16).encode()).decode()
            key = SigningKey(self._recall("service-account.key", new_key) if self._kept is not None else b"")
            storage = Storage(history, clock, self._kept.journal if self._kept is not None else None)
            self.cluster = Cluster(
                storage,
                Registry(STRATEGIES),
                clock,
                random.Random(seed),
                default_service_accounts=default_service_accounts,
                authority=self._tls.authority,
                calls=WebhookCalls(webhook_services or {}),
            )
            self._tokens = {**(tokens or {}), self.token: User("system:admin", "", (MASTERS, AUTHENTICATED))}
            authorizer = RBAC(self.cluster) if authorization_mode == "RBAC" else AlwaysAllow()
            dispatcher = Dispatcher(
                self.cluster, tokens=self._tokens, authorizer=authorizer, key=key, anonymous=anonymous
            )
            definitions = Definitions(self.cluster)
            self.cluster.definitions = definitions
            with storage.hurried():
                bootstrap(self.cluster)
            definitions.restore()
            self._simulation = _simulation(self.cluster, simulate, seed)
            storage.compact()
            self._workers: list[Worker] = [definitions, RoleAggregation(self.cluster)]
            if garbage_collection:
                self._workers.append(GarbageCollector(self.cluster))
            if namespace_controller:
                self._workers += [NamespaceController(self.cluster), Protection(self.cluster)]
            if default_service_accounts:
                self._workers.append(AccountSecrets(self.cluster))
            if event_ttl is not None:
                self._workers.append(EventExpiry(self.cluster, event_ttl))
            if self._simulation is not None:
                self._workers.append(self._simulation)
            self._faults = Faults(clock, seed or 0)
            self._requests = RequestLog(clock)
            handle = self._requests.wrap(self._faults.wrap(dispatcher.handle), dispatcher.identify)
            self._http = HTTPServer(handle, address=address, port=port, tls=self._tls.context)
        except BaseException:
            if self._kept is not None:
                self._kept.journal.close()
            raise
        self._lock = threading.Lock()  # guards the two flags
        self._started = self._stopped = False
        for worker in self._workers:
            worker.resume()

    def _recall(self, name: str, make: Callable[[], bytes]) -> bytes:
        return make() if self._kept is None else self._kept.recall(name, make)

    # ---- life

    def start(self) -> Self:
        """Begin to answer. Raises RuntimeError when it has been started before."""
        with self._lock:
            if self._started:
                raise RuntimeError("this APIServer has been started already")
            self._started = True
        for worker in self._workers:
            worker.start()
        self._http.start()
        return self

    def stop(self) -> None:
        """End every watch and connection at once, and wait for every thread. Twice is fine."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._faults.close()
        self.cluster.storage.close()
        self._http.stop()
        for worker in self._workers:
            worker.stop()
        self.cluster.calls.close()
        if self._kept is not None:
            self._kept.journal.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- how to reach it

    @property
    def port(self) -> int:
        return self._http.port

    @property
    def url(self) -> str:
        scheme = "https" if self._http.tls is not None else "http"
        host = f"[{self._http.address}]" if ":" in self._http.address else self._http.address
        return f"{scheme}://{host}:{self.port}"

    @property
    def config(self) -> Config:
        """A client configuration with an administrator's token, and no limit to the rate of requests."""
        from k8srt.rest import Config

        return Config(host=self.url, bearer_token=self.token, tls=self._trust(), qps=-1.0)

    def _trust(self) -> TLSConfig:
        from k8srt.transport.tls import TLSConfig

        return TLSConfig(ca_data=self._tls.authority)

    def config_for(self, user: str, *groups: str, uid: str = "") -> Config:
        """A client configuration as `config`, for another user, in `groups`: by a token made for this."""
        import dataclasses

        if not user:
            raise ValueError("a user has a name")
        token = secrets.token_hex(16)
        self._tokens[token] = User(user, uid, (*groups, AUTHENTICATED))
        return dataclasses.replace(self.config, bearer_token=token)

    def client_certificate(self, user: str, *groups: str) -> Pair:
        """A certificate and key, in PEM, with which a client is `user`, in `groups`.

        Raises ConfigError when the server has no authority of its own: without `tls`, or with a `client_ca`.
        """
        return self._tls.issue(user, groups)

    def kubeconfig(self) -> str:
        """A kubeconfig, as YAML text, with an administrator's token."""
        return kubeconfig_text(self.url, self.token, self._tls.authority)

    # ---- for tests

    @property
    def simulation(self) -> SimulationWorker:
        """What runs the workloads: it lets pods restart, end and fail. Raises RuntimeError without `simulate`."""
        if self._simulation is None:
            raise RuntimeError("this APIServer simulates nothing: it was made without simulate=True")
        return self._simulation

    def load(self, *sources: Source, namespace: str = "default") -> list[Unstructured]:
        """Put objects into the cluster as they are, status and uid included, and return them as stored.

        Sources are objects, dicts, lists, YAML text, files and folders; definitions come first and are served at once,
        missing namespaces are made, what is there already is replaced. Before the start or while it runs. Raises
        DecodeError and StatusError naming file and document.
        """
        from k8srt.testing.apiserver.preload import preload

        return preload(self.cluster, sources, namespace=namespace)

    @property
    def faults(self) -> Faults:
        """What goes wrong: `with server.faults.fail("update", "foos", status=503, times=3): …`.

        See `k8srt.testing.apiserver.faults`.
        """
        return self._faults

    @property
    def requests(self) -> RequestLog:
        """What was asked: `server.requests.where("patch", "deployments/status")`; the last 10,000 requests.

        See `k8srt.testing.apiserver.request_log`.
        """
        return self._requests

    def compact(self) -> int:
        """Forget the history: watches from older versions answer 410. Returns the version compacted to."""
        return self.cluster.storage.compact()


def _simulation(cluster: Cluster, simulate: bool | Simulation, seed: int | None) -> SimulationWorker | None:
    if simulate is False:
        return None
    from k8srt.testing.apiserver.controllers.simulation.loop import SimulationWorker  # few servers have one

    made = SimulationWorker(cluster, Simulation() if simulate is True else simulate, seed)
    made.prepare()
    return made
