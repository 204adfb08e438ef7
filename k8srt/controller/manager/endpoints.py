"""The HTTP servers of a manager: health, metrics, debugging.

Contract: MGR-01, MGR-06, MGR-21, HLZ-01, MSV-01, MSV-02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8srt.controller.health import Checks
from k8srt.controller.isolation.here import in_worker
from k8srt.controller.manager.debugging import serve_debugging
from k8srt.controller.metrics import names
from k8srt.controller.metrics.scraping import MetricsOptions, MetricsServer
from k8srt.controller.serving.server import HTTPServer
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager


class Endpoints:
    """See the module. Made by a manager, for itself."""

    def __init__(
        self,
        manager: Manager,
        *,
        health_address: str,
        metrics_address: str,
        profiling_address: str,
        metrics_options: MetricsOptions | None,
        healthz: str,
        readyz: str,
        clock: Clock,
    ) -> None:
        """Binds health and debugging. Raises ConfigError, ListenError; then nothing is left open."""
        self.healthz = Checks(healthz, clock=clock)
        self.readyz = Checks(readyz, clock=clock)
        self.health = HTTPServer("health", health_address, clock=clock)
        for checks in (self.healthz, self.readyz):
            self.health.handle(checks.endpoint, checks)
            self.health.handle(f"{checks.endpoint}/", checks)
        self.profiling = HTTPServer("profiling", profiling_address, clock=clock)
        serve_debugging(self.profiling, manager)
        options = metrics_options or MetricsOptions()
        self.metrics = MetricsServer(metrics_address, names.REGISTRY, manager.clientset, options, clock=clock)
        if not self.metrics.disabled:
            names.install(client_details=options.client_details)
        self._bind()

    def _bind(self) -> None:
        if in_worker():  # which imports modules that define managers, and runs none
            return
        try:
            self.health.bind()
            self.profiling.bind()
        except BaseException:
            self.close()
            raise

    def enabled(self) -> list[HTTPServer | MetricsServer]:
        """Those that serve anything."""
        return [each for each in (self.health, self.metrics, self.profiling) if not each.disabled]

    def close(self) -> None:
        """Leave nothing open."""
        self.health.close()
        self.profiling.close()
