"""A transport that answers from a script, and a clock that passes as soon as somebody waits."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from k8srt.errors import TransportError
from k8srt.rest import Config, RESTClient
from k8srt.testing.clock import FakeClock


class ImpatientClock(FakeClock):
    """Waiting for an event takes no time and is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if not event.is_set() and timeout:
            self.waits.append(timeout)
            self.advance(timeout)
        return event.is_set()


class FakeReply:
    """What a transport returns."""

    chunked = False

    def __init__(self, status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = {"content-type": "application/json", **(headers or {})}
        self.what, self.url = "GET", "http://fake"
        self.closed = self.released = False

    def header_values(self, name: str) -> list[str]:
        return [self.headers[name]] if name in self.headers else []

    def read(self, deadline: float | None = None) -> bytes:
        return self.body

    def read_some(self, size: int) -> bytes:
        data, self.body = self.body[:size], self.body[size:]
        return data

    def set_read_timeout(self, seconds: float | None) -> None:
        self.read_timeout = seconds

    def release(self) -> None:
        self.released = True

    def shutdown(self) -> None:
        self.body = b""

    def close(self) -> None:
        self.closed = True


class FakeTransport:
    """Answers what it was told, one after the other; the last again and again."""

    def __init__(self, *answers: FakeReply | TransportError) -> None:
        self.answers = list(answers)
        self.sent: list[dict[str, Any]] = []

    def send(self, method: str, target: str, **more: Any) -> FakeReply:
        self.sent.append({"method": method, "target": target, **more})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, TransportError):
            raise answer
        return answer

    def close(self) -> None:
        pass


def fake_client(
    *answers: FakeReply | TransportError, group_version: str = "v1", **config: Any
) -> tuple[RESTClient, FakeTransport, ImpatientClock]:
    """A client whose transport answers from a script."""
    clock = ImpatientClock()
    settings = {"host": "http://fake", "qps": -1.0, **config}
    client = RESTClient(Config(**settings), group_version, clock=clock)
    transport = FakeTransport(*(answers or (FakeReply(),)))
    client.transport = transport  # type: ignore[assignment]
    return client, transport, clock
