"""What is told of requests. Contract: CLI-59."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt import errors
from k8srt.tools import metrics
from k8srt.tools.metrics import ClientMetrics
from k8srt.transport.failures import transport_error
from k8srt.util.told import Told as Place
from tests.unit.rest.fakes import FakeReply, fake_client

HOST = "fake"
POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'


class Told(ClientMetrics):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in vars(ClientMetrics) and not name.startswith("_"):
            return lambda *values: self.said.append((name, *values))
        return super().__getattribute__(name)

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [values for what, *values in map(list, self.said) if what == name]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr(metrics, "_told", Place())
    provider = Told()
    assert metrics.set_provider(provider)
    return provider


def test_cli_59_only_the_first_provider_counts(told):
    assert metrics.is_set()
    assert not metrics.set_provider(ClientMetrics())

    metrics.report("request_result", "200", "GET", HOST)

    assert told.of("request_result") == [["200", "GET", HOST]]


def test_cli_59_a_request_tells_its_result_its_size_and_its_time(told):
    client, _, _ = fake_client(FakeReply(201, POD))

    client.post().body({"kind": "Pod"}).do()

    host = client.url.partition("://")[2]
    assert told.of("request_result") == [["201", "POST", host]]
    assert told.of("request_size") == [["POST", host, len(b'{"kind":"Pod"}')]]
    assert told.of("response_size") == [["POST", host, len(POD)]]
    assert told.of("request_latency") == [["POST", host, 0.0]]
    assert told.of("request_retry") == []
    assert len(told.of("rate_limiter_latency")) == 1


def test_cli_59_retries_are_told_with_what_went_before_and_count_into_the_time(told):
    lost = transport_error(ConnectionResetError(), "GET", "http://fake")
    client, _, _ = fake_client(lost, FakeReply(429, headers={"retry-after": "3"}), FakeReply(body=POD))

    client.get().do()

    assert [code for code, *_ in told.of("request_result")] == [metrics.NO_ANSWER, "429", "200"]
    assert [code for code, *_ in told.of("request_retry")] == [metrics.NO_ANSWER, "429"]
    [(_, _, seconds)] = told.of("request_latency")
    assert seconds >= 3.0
    assert len(told.of("rate_limiter_latency")) == 3


def test_cli_59_a_failure_is_told_too(told):
    client, _, _ = fake_client(FakeReply(404))

    with pytest.raises(errors.NotFound):
        client.get().do()

    assert [code for code, *_ in told.of("request_result")] == ["404"]
    assert len(told.of("request_latency")) == 1


def test_cli_59_a_watch_has_no_time(told):
    client, _, _ = fake_client(FakeReply(body=b""))

    client.get().watch().close()

    assert [code for code, *_ in told.of("request_result")] == ["200"]
    assert told.of("request_latency") == []


def test_cli_59_a_provider_that_fails_costs_no_request(monkeypatch, caplog):
    class Broken(ClientMetrics):
        def request_result(self, code: str, method: str, host: str) -> None:
            raise RuntimeError("full")

    monkeypatch.setattr(metrics, "_told", Place())
    metrics.set_provider(Broken())
    client, _, _ = fake_client(FakeReply(body=POD))

    assert client.get().do().status_code == 200
    assert "reporting request_result" in caplog.text


def test_cli_59_without_a_provider_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(metrics, "_told", Place())

    assert not metrics.is_set()
    metrics.report("request_result", "200", "GET", HOST)


def test_cli_59_every_figure_has_its_conventional_name():
    methods = [name for name in vars(ClientMetrics) if not name.startswith("_")]

    assert len(methods) == 11
    assert all(getattr(metrics, name.upper()).startswith("rest_client_") for name in methods)
