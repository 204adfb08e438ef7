"""Who is told of requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from k8srt import errors
from k8srt.rest.observing import observer_here, observing_with
from k8srt.rest.request import Request
from k8srt.transport.failures import transport_error
from tests.unit.rest.fakes import FakeReply, fake_client

POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'
FAILURE = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"gone"}'


class Watches:
    """Writes down what it is told, and adds a header."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @contextmanager
    def call(self, request: Request) -> Iterator[Watches]:
        self.told.append(str(request.about()))
        request.header("traceparent", "some")
        try:
            yield self
        except Exception as err:
            self.told.append(type(err).__name__)
            raise
        self.told.append("done")

    def answered(self, code: int | None) -> None:
        self.told.append(code)

    def wrote(self, answer: Any) -> None: ...


def test_trc_01_a_request_is_told_with_all_its_attempts() -> None:
    reset = transport_error(ConnectionResetError(), "GET", "http://fake")
    asked = FakeReply(503, headers={"retry-after": "1"})
    client, transport, _ = fake_client(asked, reset, FakeReply(body=POD))
    watches = Watches()

    with observing_with(watches):
        client.get().resource("pods").name("x").do()

    assert watches.told == ["get pods x", 503, None, 200, "done"]
    assert [sent["headers"]["traceparent"] for sent in transport.sent] == ["some"] * 3


def test_trc_01_a_failure_is_told() -> None:
    client, _, _ = fake_client(FakeReply(404, FAILURE))
    watches = Watches()

    with observing_with(watches), pytest.raises(errors.NotFound):
        client.get().resource("pods").name("x").do()

    assert watches.told == ["get pods x", 404, "NotFound"]


def test_trc_02_nobody_is_told_of_what_is_asked_for_outside() -> None:
    client, transport, _ = fake_client(FakeReply(body=POD))
    watches = Watches()
    with observing_with(watches):
        assert observer_here() is watches

    client.get().resource("pods").name("x").do()

    assert observer_here() is None
    assert watches.told == []
    assert "traceparent" not in transport.sent[0]["headers"]
