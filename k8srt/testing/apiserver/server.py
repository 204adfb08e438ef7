"""The embedded API server: everything put together, started and stopped."""

from __future__ import annotations

import random
import secrets
import ssl
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from k8srt.testing.apiserver.auth import AUTHENTICATED, AlwaysAllow, User
from k8srt.testing.apiserver.bootstrap import bootstrap
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.definitions import Definitions
from k8srt.testing.apiserver.controllers.garbage import GarbageCollector
from k8srt.testing.apiserver.controllers.namespaces import NamespaceController
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.dispatch import Dispatcher
from k8srt.testing.apiserver.http import HTTPServer
from k8srt.testing.apiserver.kubeconfig import kubeconfig_text
from k8srt.testing.apiserver.rbac import RBAC
from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.storage import HISTORY, Storage
from k8srt.testing.apiserver.strategies.table import STRATEGIES
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.apimachinery.unstructured import Unstructured
    from k8srt.kubernetes.manifests.sources import Source
    from k8srt.rest import Config


class APIServer:
    """A Kubernetes API server in this process: real HTTP on loopback, everything in memory.

        with APIServer() as server:
            clientset = Clientset(server.config)

    `port` 0 picks a free one. `tokens` maps bearer tokens to users; the server's own token, an administrator's, is
    always among them. With `authorization_mode` "RBAC", roles and bindings decide who may do what.
    `garbage_collection`, `namespace_controller` and `default_service_accounts` switch the background work
    that a cluster's controller manager does. `history` is how many events each resource keeps for watches. The port
    is taken when the object is made; a server cannot be started twice. Thread-safe.
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
        garbage_collection: bool = True,
        namespace_controller: bool = True,
        default_service_accounts: bool = True,
        history: int = HISTORY,
        clock: Clock = SYSTEM,
        seed: int | None = None,
    ) -> None:
        self.token = secrets.token_urlsafe(16)
        admin = User("system:admin", "", ("system:masters", AUTHENTICATED))
        storage = Storage(history, clock)
        registry = Registry(STRATEGIES)
        self.cluster = Cluster(
            storage,
            registry,
            clock,
            random.Random(seed),
            default_service_accounts=default_service_accounts,
        )
        self.cluster.definitions = Definitions(self.cluster)
        self._workers: list[Worker] = [self.cluster.definitions]
        if garbage_collection:
            self._workers.append(GarbageCollector(self.cluster))
        if namespace_controller:
            self._workers.append(NamespaceController(self.cluster))
        known = {**(tokens or {}), self.token: admin}
        authorizer = RBAC(self.cluster) if authorization_mode == "RBAC" else AlwaysAllow()
        dispatcher = Dispatcher(self.cluster, tokens=known, authorizer=authorizer)
        self.certificate = certificate
        self._http = HTTPServer(dispatcher.handle, address=address, port=port, tls=_tls(certificate, private_key))
        self._lock = threading.Lock()  # guards the two flags
        self._started = self._stopped = False
        bootstrap(self.cluster)
        storage.compact()

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
        self.cluster.storage.close()
        self._http.stop()
        for worker in self._workers:
            worker.stop()

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
        from k8srt.transport.tls import TLSConfig

        return Config(host=self.url, bearer_token=self.token, tls=TLSConfig(ca_file=self.certificate or ""), qps=-1.0)

    def kubeconfig(self) -> str:
        """A kubeconfig, as YAML text, with an administrator's token."""
        return kubeconfig_text(self.url, self.token, self.certificate)

    # ---- for tests

    def load(self, *sources: Source, namespace: str = "default") -> list[Unstructured]:
        """Put objects into the cluster as they are, status and uid included, and return them as stored.

        Sources are objects, dicts, lists, YAML text, files and folders; definitions come first and are served at once,
        missing namespaces are made, what is there already is replaced. Before the start or while it runs. Raises
        DecodeError and StatusError naming file and document.
        """
        from k8srt.testing.apiserver.preload import preload

        return preload(self.cluster, sources, namespace=namespace)

    def compact(self) -> int:
        """Forget the history: watches from older versions answer 410. Returns the version compacted to."""
        return self.cluster.storage.compact()


def _tls(certificate: str | None, private_key: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private_key)
    return context
