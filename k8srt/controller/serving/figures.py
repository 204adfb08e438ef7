"""What can be measured of webhooks and their certificates, and who is told.

    class Told(WebhookFigures):
        def request(self, path, code, seconds): ...

    set_provider(Told())

There is one provider for the whole program. A method that fails is logged: requests go before their figures.
Methods are called by many threads at once. The names of the metrics are the constants in capitals.

Contract: MTR-03, WHS-08, CRT-02, CRT-03.
"""

from __future__ import annotations

import threading

from k8srt.util.told import Told

LATENCY = "controller_runtime_webhook_latency_seconds"
REQUESTS = "controller_runtime_webhook_requests_total"
IN_FLIGHT = "controller_runtime_webhook_requests_in_flight"
PANICS = "controller_runtime_webhook_panics_total"
CONVERSION_PANICS = "controller_runtime_conversion_webhook_panics_total"
CERTIFICATE_READS = "certwatcher_read_certificate_total"
CERTIFICATE_ERRORS = "certwatcher_read_certificate_errors_total"

PRESENT = (200, 500)
"""The codes that are there from the start, at zero, for every path."""


class WebhookFigures:
    """Who is told. All methods do nothing here; override those that are wanted. `path` is the label `webhook`."""

    def served(self, path: str) -> None:
        """A path is served from now on."""

    def in_flight(self, path: str, change: int) -> None:
        """A request has come (1), or is over (-1)."""

    def request(self, path: str, code: int, seconds: float) -> None:
        """A request was answered with an HTTP status after so long."""

    def panic(self) -> None:
        """An admission or token handler raised."""

    def conversion_panic(self) -> None:
        """A converter raised."""

    def certificate_read(self) -> None:
        """A certificate and its key have been read."""

    def certificate_error(self) -> None:
        """They could not be read, or do not belong together."""


class _Paths:
    """What is served, for a provider that is set later. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _paths
        self._paths: dict[str, None] = {}

    def add(self, path: str) -> None:
        with self._lock:
            self._paths[path] = None

    def all(self) -> list[str]:
        with self._lock:
            return list(self._paths)


_told: Told[WebhookFigures] = Told()
_paths = _Paths()
report = _told.report


def set_provider(provider: WebhookFigures | None) -> WebhookFigures | None:
    """Have all webhook servers report to `provider`, also of the paths served already; to nobody if None.

    Returns who was told before.
    """
    before = _told.exchange(provider)
    for path in _paths.all():
        report("served", path)
    return before


def report_path(path: str) -> None:
    """A path is served: told now, and to a provider that is set later."""
    _paths.add(path)
    report("served", path)
