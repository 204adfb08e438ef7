"""Clients that lose no time: what they would wait a second for, they wait a hundredth."""

from __future__ import annotations

import threading
from typing import Any

from k8srt.rest import Config, RESTClient
from k8srt.util.clock import RealClock
from tests.integration.wire import WireServer

SOON = 0.01

TIMES: dict[str, float] = {"read_timeout": 0.25, "connect_timeout": 2.0, "watch_idle_timeout": 0.25}
"""What bounds a silence here. Of the minutes that are allowed by default nothing else differs."""


class HastyClock(RealClock):
    """The clock of the machine, for those who wait on purpose and not for others. Counts how often they did."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if timeout is not None:
            self.waits.append(timeout)
            timeout = min(timeout, SOON)
        return super().wait_event(event, timeout)


def config(server: WireServer, **more: Any) -> Config:
    return server.config(**{**TIMES, **more})


def client(server: WireServer, **more: Any) -> RESTClient:
    """A client of `server` that neither waits nor is limited."""
    return RESTClient(config(server, **more), "v1", clock=HastyClock())
