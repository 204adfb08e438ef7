"""`/metrics`: what Prometheus scrapes.

Contract: MSV-01 to MSV-06.
"""

from __future__ import annotations

import logging
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8srt.controller.metrics.exposition import OPEN_METRICS, PROMETHEUS, render, wants_open_metrics
from k8srt.controller.metrics.instruments import Collector, Registry, Sample, Snapshot
from k8srt.controller.serving.certificates import Certificate, CertWatcher, server_context
from k8srt.controller.serving.messages import HTTPHandler, HTTPRequest, HTTPResponse
from k8srt.controller.serving.server import Guard, Handle, HTTPServer, PathTaken
from k8srt.errors import AlreadyStarted, ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import spawn

log = logging.getLogger(__name__)

PATH = "/metrics"
_KINDS = {"counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary", "info": "gauge"}


@dataclass(frozen=True)
class MetricsOptions:
    """How figures are served.

    With `secure` it is HTTPS, with the certificate in `cert_dir` (by default `k8s-metrics-server/serving-certs` in the
    folder for temporary files), which is watched for change; where a file is missing, with one signed by itself for
    this machine, which needs the extra `tls`. `filter_provider` is given a clientset and returns what looks at each
    request first: `access.reviewed` asks the API server. `prometheus_client` includes the default registry of that
    library. `client_details` keeps durations and sizes of requests to API servers.
    """

    secure: bool = False
    cert_dir: str | Path = ""
    cert_name: str = "tls.crt"
    key_name: str = "tls.key"
    filter_provider: Callable[[Clientset], Guard] | None = None
    prometheus_client: bool = False
    client_details: bool = False


class MetricsServer:
    """A runnable that serves a registry. It binds when it is started. Thread-safe."""

    need_leader_election = False
    name = "metrics"

    def __init__(
        self,
        address: str,
        registry: Registry,
        clientset: Clientset,
        options: MetricsOptions | None = None,
        *,
        clock: Clock = SYSTEM,
    ) -> None:
        """Raises ConfigError for what is no address, and when a library is asked for that is not installed."""
        options = options or MetricsOptions()
        self._registry = registry
        self._collectors: list[Collector] = [_of_prometheus_client()] if options.prometheus_client else []
        self._certificates = _Certificates(options, clock) if options.secure else None
        guard = options.filter_provider(clientset) if options.filter_provider is not None else None
        context = self._certificates.context if self._certificates is not None else None
        self._server = HTTPServer(self.name, address, context=context, guard=guard, clock=clock)
        self._server.handle(PATH, self._scrape)
        self.ready = self._server.ready

    @property
    def url(self) -> str:
        """Where it is scraped; empty while it is not served."""
        return self._server.url and self._server.url + PATH

    @property
    def disabled(self) -> bool:
        """Whether nothing is served."""
        return self._server.disabled

    def handle(self, path: str, handler: HTTPHandler | Handle) -> None:
        """Serve something else beside it, before the start. Raises PathTaken."""
        if self.disabled:
            log.warning("%s is not served: the metrics server is disabled", path)
            return
        if path == PATH:
            raise PathTaken(f"{PATH} cannot be replaced")
        self._server.handle(path, handler)

    def start(self, stop: threading.Event) -> None:
        """Serve until `stop`. Raises ListenError, ConfigError."""
        watcher = None
        if self._certificates is not None and not self.disabled:
            watcher = self._certificates.begin(stop)
        try:
            self._server.start(stop)
        finally:
            if watcher is not None and stop.is_set():
                watcher.join()

    def _scrape(self, request: HTTPRequest) -> HTTPResponse:
        found = self._registry.snapshot()
        known = {each.name for each in found}
        found += [each for collect in self._collectors for each in collect() if each.name not in known]
        found.sort()
        open_metrics = wants_open_metrics(request.headers.get("accept", ""))
        body = render(found, open_metrics=open_metrics).encode()
        return HTTPResponse(200, body, OPEN_METRICS if open_metrics else PROMETHEUS)

    def __repr__(self) -> str:
        return f"<MetricsServer: {self.url or 'listens nowhere'}>"


class _Certificates:
    """A watched pair of files; or, where there are none, a pair of its own."""

    def __init__(self, options: MetricsOptions, clock: Clock) -> None:
        folder = Path(options.cert_dir or Path(tempfile.gettempdir(), "k8s-metrics-server", "serving-certs"))
        files = folder / options.cert_name, folder / options.key_name
        self._watcher = CertWatcher(*files, clock=clock) if all(each.exists() for each in files) else None
        self._own: ssl.SSLContext | None = None
        if self._watcher is None:
            log.info("%s and %s are not both there: metrics are served with a certificate of their own", *files)

    def begin(self, stop: threading.Event) -> threading.Thread | None:
        """Have a certificate, and a thread that watches it if it is in files. Raises ConfigError."""
        if self._watcher is not None:
            self._watcher.read()
            return spawn("http-certificates", self._watcher.start, stop)
        self._own = server_context(self_signed(("localhost", "127.0.0.1")))
        return None

    def context(self) -> ssl.SSLContext:
        if self._watcher is not None:
            return self._watcher.context()
        if self._own is None:
            raise AlreadyStarted("the metrics server has not been started")
        return self._own


def self_signed(hosts: Iterable[str]) -> Certificate:
    """A certificate for some hosts that nobody vouches for, good for a year. Raises ConfigError without the extra."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as err:
        raise ConfigError(
            "a certificate for the metrics server cannot be made without cryptography: pip install 'k8srt[tls]', "
            "or put one into cert_dir"
        ) from err
    import ipaddress
    from datetime import timedelta

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "k8srt metrics")])
    now = SYSTEM.time()
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(certificate.public_bytes(pem), secret)


def _of_prometheus_client() -> Collector:
    """The default registry of prometheus_client. Raises ConfigError if that is not installed."""
    try:
        import prometheus_client  # type: ignore[import-not-found,unused-ignore]
    except ImportError as err:
        raise ConfigError("prometheus_client is not installed: pip install 'k8srt[metrics]'") from err

    def collect() -> Iterable[Snapshot]:
        return [_snapshot(each) for each in prometheus_client.REGISTRY.collect()]

    return collect


def _snapshot(metric: Any) -> Snapshot:
    """A family of prometheus_client as one of ours. When series were made is left out."""
    suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
    name = metric.name + suffix
    samples = [
        Sample(each.name.removeprefix(metric.name).removeprefix(suffix), tuple(each.labels.items()), each.value)
        for each in metric.samples
        if not each.name.endswith("_created")
    ]
    return Snapshot(name, metric.documentation, _KINDS.get(metric.type, "untyped"), samples)
