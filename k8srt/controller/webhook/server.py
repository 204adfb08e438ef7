"""The webhook server: paths, TLS with a certificate that may change, and a bounded number of requests at a time.

    server = WebhookServer(cert_dir="/certs")
    server.register("/validate-pods", AdmissionWebhook(handle))
    server.start(stop)                      # a runnable; managers have one: `mgr.webhook_server`

Contract: WHS-01 to WHS-09.
"""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8srt.controller.serving.certificates import INTERVAL, CertWatcher
from k8srt.controller.serving.figures import report, report_path
from k8srt.controller.serving.listener import HTTPServer
from k8srt.controller.serving.messages import (
    MAX_BODY,
    FunctionHandler,
    HTTPHandler,
    HTTPRequest,
    HTTPResponse,
    text,
)
from k8srt.controller.webhook.configurations import Target, configurations_of
from k8srt.controller.webhook.review import AdmissionWebhook
from k8srt.controller.webhook.rules import check_path
from k8srt.controller.webhook.selfsigned import SelfSigned
from k8srt.controller.webhook.slots import Slots, seconds_of
from k8srt.controller.webhook.upkeep import Configurations, Install, Upkeep, need_clientset
from k8srt.errors import AlreadyStarted, ConfigError, K8srtError, NotStarted
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, spawn

if TYPE_CHECKING:
    from k8srt.controller.tracing.tracing import Tracing
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

PORT = 9443
THREADS = 32
GRACE = 60.0
_CHECK = 10.0
_PATIENCE = 10.0  # what a request without a timeout of its own waits for a place

Check = Callable[..., None]


class PathTaken(K8srtError, ValueError):
    """Something is served under the path already."""


class WebhookServer:
    """See the module. A runnable that serves whether its process leads or not. Thread-safe.

    It listens on `port` of `host` (all addresses by default); a negative port serves nothing, 0 picks a free one. The
    certificate is in `cert_dir` in the files `cert_name` and `key_name`; with `client_ca_name`, a file beside them,
    only clients with a certificate by that authority are answered. `tls_options` is called with each new context.
    `wait_for_certs` is how many seconds the start waits for a certificate that is not there yet. `threads` requests are
    answered at a time; `grace` seconds are left to those in progress at the end. With `self_signed` it makes its own
    certificate, in a folder of its own unless `cert_dir` is given; with `install` it has the API server ask it.
    """

    need_leader_election = False
    name = "webhooks"

    def __init__(
        self,
        *,
        port: int = PORT,
        host: str = "",
        cert_dir: str | Path = "",
        cert_name: str = "tls.crt",
        key_name: str = "tls.key",
        client_ca_name: str = "",
        tls_options: Callable[[ssl.SSLContext], object] | None = None,
        wait_for_certs: float = 0.0,
        cert_interval: float = INTERVAL,
        threads: int = THREADS,
        grace: float = GRACE,
        self_signed: SelfSigned | None = None,
        install: Install | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads: at least one answers requests, not {threads!r}")
        if port > 65535:
            raise ValueError(f"port: at most 65535, not {port!r}")
        usual = "serving-certs" if self_signed is None else f"self-signed-{uuid.uuid4()}"
        self.cert_dir = Path(cert_dir or Path(tempfile.gettempdir(), "k8s-webhook-server", usual))
        self._own_folder = self_signed is not None and not cert_dir
        self.ready = Latch()
        self.certificates = CertWatcher(
            self.cert_dir / cert_name,
            self.cert_dir / key_name,
            interval=cert_interval,
            prepare=self._prepare,
            clock=clock,
        )
        self._host, self._port = host, port
        self._client_ca = self.cert_dir / client_ca_name if client_ca_name else None
        self._tls_options = tls_options
        self._patience = wait_for_certs
        self._grace = grace
        self.self_signed = self_signed
        self.install = install
        self.tracing: Tracing | None = None  # what gives calls their spans; managers set it, before the start
        self._clientset: Clientset | None = None
        self._clock = clock
        self._slots = Slots(threads, clock)
        self._lock = threading.Lock()  # guards all below
        self._handlers: dict[str, HTTPHandler] = {}
        self._http: HTTPServer | None = None
        self._started = False

    # ---- what is served -------------------------------------------------------------------------------------------

    def register(self, path: str, handler: HTTPHandler | Callable[[HTTPRequest], HTTPResponse]) -> None:
        """Serve `handler` under `path`, before or after the start. It has `handle(request)`, or is a function.

        Raises PathTaken the second time, ValueError for what is no path. Contract: WHS-02, WHS-08.
        """
        check_path(path)
        if not hasattr(handler, "handle"):
            if not callable(handler):
                raise TypeError(f"{path}: a handler has handle(request), or is a function of a request: {handler!r}")
            handler = FunctionHandler(handler)
        with self._lock:
            if path in self._handlers:
                raise PathTaken(f"{path} is served already, by {self._handlers[path]!r}")
            self._handlers[path] = handler
        report_path(path)
        log.info("serving webhook %s", path)

    def handler(self, path: str) -> HTTPHandler | None:
        """What is served under a path."""
        with self._lock:
            return self._handlers.get(path)

    @property
    def paths(self) -> list[str]:
        """The paths served, in the order they came."""
        with self._lock:
            return list(self._handlers)

    def webhook_configurations(self, name: str, *, i_know: bool = False, **target: Any) -> Configurations:
        """The objects that have the API server ask what is served here: one for each sort there is.

        `target` are the fields of `Target`: `service="namespace/name"` or `url`, and `ca_bundle`. Raises ValueError for
        rules that endanger the cluster unless `i_know`. Contract: ADM-11, ADM-12.
        """
        return self._configurations(name, Target(**target), i_know)

    def _configurations(self, name: str, target: Target, i_know: bool) -> Configurations:
        with self._lock:
            handlers = dict(self._handlers)
        hooks = [
            (path, handler.rules)
            for path, handler in handlers.items()
            if isinstance(handler, AdmissionWebhook) and handler.rules is not None
        ]
        return configurations_of(name, hooks, target, i_know=i_know)

    # ---- life -----------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on; the one asked for while it does not."""
        with self._lock:
            return self._http.port if self._http is not None else self._port

    @property
    def disabled(self) -> bool:
        """Whether nothing is served, because the port is negative."""
        return self._port < 0

    def start(self, stop: threading.Event) -> None:
        """Serve until `stop`. Raises ConfigError for a certificate that cannot be used, ListenError for the port."""
        with self._lock:
            if self._started:
                raise AlreadyStarted("webhook server already started")
            self._started = True
        if self.disabled:
            self.ready.set()
            stop.wait()
            return
        try:
            self._serve(stop)
        finally:
            if self._own_folder:
                shutil.rmtree(self.cert_dir, ignore_errors=True)

    def _serve(self, stop: threading.Event) -> None:
        upkeep = self._upkeep()
        if upkeep is not None and not upkeep.certify(stop):
            return
        if not self._read_certificate(stop):
            return
        http = HTTPServer(
            self._dispatch,
            host=self._host,
            port=self._port,
            context=self.certificates.context,
            limit_of=self._limit_of,
            name="webhook",
            clock=self._clock,
        )
        with self._lock:
            self._http = http
        watcher = spawn("webhook-certificates", self.certificates.start, stop)
        http.start()
        log.info("webhooks are served on port %d", http.port)
        self.ready.set()
        keeper = spawn("webhook-upkeep", upkeep.run, stop) if upkeep is not None else None
        try:
            stop.wait()
        finally:
            if keeper is not None:
                keeper.join()  # what leads here goes before what it leads to
            http.stop(self._grace)
            watcher.join()
            log.info("webhooks are served no longer")

    def bind(self, clientset: Clientset) -> None:
        """The clients for `self_signed` and `install`; managers call this. The first call counts."""
        if self._clientset is None:
            self._clientset = clientset

    def _upkeep(self) -> Upkeep | None:
        if self.self_signed is None and self.install is None:
            return None
        if self.self_signed is not None:
            self.cert_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Upkeep(
            need_clientset(self._clientset),
            self._clock,
            self.install,
            self.self_signed,
            (self.certificates.certificate_path, self.certificates.key_path),
            self._configurations,
            self.certificates.read,
        )

    def _read_certificate(self, stop: threading.Event) -> bool:
        """Read it, waiting for it if that is wanted; False if the end came first. Contract: WHS-03."""
        deadline = self._clock.now() + self._patience
        waiting = False
        while True:
            try:
                self.certificates.read()
                return True
            except ConfigError as err:
                left = deadline - self._clock.now()
                if left <= 0.0:
                    raise
                if not waiting:
                    log.info("waiting %gs for a certificate: %s", self._patience, err)
                waiting = True
            if self._clock.wait_event(stop, min(left, 1.0)):
                return False

    def _prepare(self, context: ssl.SSLContext) -> None:
        if self._client_ca is not None:
            context.load_verify_locations(cadata=self._client_ca.read_text(encoding="ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
        if self._tls_options is not None:
            self._tls_options(context)

    def started_checker(self) -> Check:
        """A health check: whether TLS connections are taken here. It raises if not. Contract: WHS-07."""

        def check(request: object = None) -> None:
            if self.disabled:
                return
            with self._lock:
                http = self._http
            if http is None:
                raise NotStarted("webhook server has not been started yet")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is this very process
            host = "127.0.0.1" if self._host in ("", "0.0.0.0") else self._host
            try:
                with socket.create_connection((host, http.port), _CHECK) as plain, context.wrap_socket(plain):
                    pass
            except OSError as err:
                raise K8srtError(f"webhook server is not reachable: {host}:{http.port}: {err}") from err

        return check

    # ---- requests -------------------------------------------------------------------------------------------------

    def _limit_of(self, path: str) -> int:
        return int(getattr(self.handler(path), "max_body", MAX_BODY))

    def _dispatch(self, request: HTTPRequest) -> HTTPResponse:
        """Answer one request, measured, when there is room for it. Contract: WHS-08, WHS-09."""
        handler = self.handler(request.path)
        if handler is None:
            return text(404, "404 page not found")
        if self.tracing is None:
            return self._measured(handler, request)
        with self.tracing.answering(request.path, request.headers) as call:
            response = self._measured(handler, request)
            call.answered(response.code)
            return response

    def _measured(self, handler: HTTPHandler, request: HTTPRequest) -> HTTPResponse:
        path, began, code = request.path, self._clock.now(), 500
        report("in_flight", path, 1)
        try:
            response = self._answer(handler, request)
            code = response.code
            return response
        finally:
            report("in_flight", path, -1)
            report("request", path, code, self._clock.now() - began)

    def _answer(self, handler: HTTPHandler, request: HTTPRequest) -> HTTPResponse:
        patience = seconds_of(request.parameter("timeout"))
        if not self._slots.take(_PATIENCE if patience is None else patience):
            log.warning("%s: too many requests at a time", request.path)
            return text(503, "too many requests in progress")
        try:
            return handler.handle(request)
        except (Exception, SystemExit):  # also sys.exit: a handler does not end the server
            log.exception("%s: the handler failed", request.path)
            return text(500, "the handler failed")
        finally:
            self._slots.give_back()

    def __repr__(self) -> str:
        state = "disabled" if self.disabled else f"port {self.port}"
        return f"<WebhookServer {state}: {', '.join(self.paths) or 'nothing registered'}>"
