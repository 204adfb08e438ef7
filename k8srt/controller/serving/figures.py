"""What can be measured of webhooks and their certificates, and who is told.

    class Told(WebhookFigures):
        def request(self, path, code, seconds): ...

    set_provider(Told())

There is one provider for the whole program. A method that fails is logged: requests go before their figures.
Methods are called by many threads at once. The names of the metrics are the constants in capitals.

Contract: MTR-03, WHS-08, CRT-02, CRT-03.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

log = logging.getLogger(__name__)

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


class _Registry:
    def __init__(self) -> None:
        self._lock = threading.Lock()  # orders those who set; readers see the old or the new one
        self.provider: WebhookFigures | None = None
        self.paths: list[str] = []

    def set(self, provider: WebhookFigures | None) -> WebhookFigures | None:
        with self._lock:
            before, self.provider = self.provider, provider
            paths = list(self.paths) if provider is not None else []
        for path in paths:
            report("served", path)
        return before

    def serve(self, path: str) -> None:
        with self._lock:
            if path not in self.paths:
                self.paths.append(path)
        report("served", path)


_registry = _Registry()


def set_provider(provider: WebhookFigures | None) -> WebhookFigures | None:
    """Have all webhook servers report to `provider`, also of the paths served already; to nobody if None.

    Returns who was told before.
    """
    return _registry.set(provider)


def report_path(path: str) -> None:
    """A path is served: told now, and to a provider that is set later."""
    _registry.serve(path)


def report(method: str, *values: Any) -> None:
    """Call a method of the provider, if there is one. Never raises."""
    provider = _registry.provider
    if provider is None:
        return
    try:
        getattr(provider, method)(*values)
    except Exception:
        log.exception("reporting %s to %r failed", method, provider)
