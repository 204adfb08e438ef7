"""Clients that lose no time: what they would wait a second for, they wait a thousandth."""

from __future__ import annotations

import threading
from typing import Any

from k8srt.rest import RESTClient
from k8srt.util.clock import RealClock
from tests.integration.wire import WireServer

SOON = 0.001

SHORT = 0.3
"""Seconds of silence that are too many, where a test is about silence."""


class HastyClock(RealClock):
    """The clock of the machine, for those who wait on purpose and not for others. Counts how often they did."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if timeout is not None:
            self.waits.append(timeout)
            timeout = min(timeout, SOON)
        return super().wait_event(event, timeout)


def client(server: WireServer, silence: float = 10.0, **more: Any) -> RESTClient:
    """A client of `server` that neither waits nor is limited, but gives up after `silence` seconds without a byte."""
    times = {"read_timeout": silence, "watch_idle_timeout": silence}
    return RESTClient(server.config(**times, **more), "v1", clock=HastyClock())
