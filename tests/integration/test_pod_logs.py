"""Logs over real connections: they come line by line, and end when the container, the caller or a stop says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.errors import TransportError
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.typed.core.v1 import PodClient
from k8srt.util.threads import Stop
from tests.integration.wire import Exchange, WireServer

pytestmark = pytest.mark.embedded


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[PodClient, WireServer]]]:
    opened: list[object] = []

    def start(respond: Callable[[Exchange], object], **config: object) -> tuple[PodClient, WireServer]:
        server = WireServer(respond)
        cs = Clientset(server.config(**config))
        opened.extend([cs, server])
        return cs.core_v1.pods("d"), server

    yield start
    for one in opened:
        one.__exit__(None, None, None)  # type: ignore[attr-defined]


def begin(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")


class Running:
    """A container that writes two lines, one of them in two pieces, and then nothing for as long as it runs."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        begin(exchange)
        exchange.chunk(b"first\nsec")
        exchange.chunk(b"ond\n")
        exchange.wait_for_hang_up()
        self.ended.set()


def test_cli_09_lines_are_followed_until_the_container_ends(serve) -> None:
    def respond(exchange: Exchange) -> None:
        begin(exchange)
        for piece in (b"one\ntw", b"o\n", b"three"):
            exchange.chunk(piece)
        exchange.end()

    pods, server = serve(respond)

    with pods.logs("x", follow=True, tail_lines=10) as lines:
        assert list(lines) == ["one", "two", "three"]

    (request,) = server.requests
    assert request.path == "/api/v1/namespaces/d/pods/x/log?follow=true&tailLines=10"
    assert request.headers["accept-encoding"] == "identity"


def test_cli_09_another_thread_closes_what_is_read_at_once(serve, pool) -> None:
    running = Running()
    pods, _ = serve(running)
    lines = pods.logs("x", follow=True)
    assert [next(lines), next(lines)] == ["first", "second"]

    reading = pool.submit(list, lines)
    lines.close()

    assert reading.result(timeout=5.0) == []
    assert running.ended.wait(5.0)


def test_cli_09_a_stop_ends_it_also_before_anything_has_come(serve, pool) -> None:
    asked = threading.Event()

    def silent(exchange: Exchange) -> None:
        asked.set()
        exchange.wait_for_hang_up()

    pods, _ = serve(silent)
    stop = Stop()
    opening = pool.submit(pods.logs, "x", follow=True, stop=stop)
    assert asked.wait(5.0)

    stop.set()

    with pytest.raises(errors.Stopped):
        opening.result(timeout=5.0)


def test_cli_09_a_stop_wakes_the_reader(serve, pool) -> None:
    running = Running()
    pods, _ = serve(running)
    stop = Stop()
    lines = pods.logs("x", follow=True, stop=stop)
    assert next(lines) == "first"

    reading = pool.submit(list, lines)
    stop.set()

    assert reading.result(timeout=5.0) in ([], ["second"])
    assert running.ended.wait(5.0)


def test_a_log_that_is_silent_for_longer_than_the_read_timeout_goes_on(serve) -> None:
    quiet = threading.Event()

    def respond(exchange: Exchange) -> None:
        quiet.wait(0.3)  # nobody sets it: three times what other requests are allowed
        begin(exchange)
        quiet.wait(0.3)
        exchange.chunk(b"at last\n")
        exchange.end()

    pods, _ = serve(respond, read_timeout=0.1)

    assert list(pods.logs("x", follow=True)) == ["at last"]


def test_a_connection_that_is_lost_is_told(serve) -> None:
    def respond(exchange: Exchange) -> None:
        begin(exchange)
        exchange.chunk(b"one\n")
        exchange.reset()

    pods, _ = serve(respond)

    with pods.logs("x", follow=True) as lines:
        assert next(lines) == "one"
        with pytest.raises(TransportError):
            next(lines)


@pytest.mark.parametrize(("code", "error"), [(404, errors.NotFound), (400, errors.BadRequest)])
def test_cli_09_what_the_server_refuses_is_an_error_whether_followed_or_not(serve, code, error) -> None:
    reason = {404: "NotFound", 400: "BadRequest"}[code]
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": "no",
    }
    pods, _ = serve(lambda exchange: exchange.reply(code, status))

    with pytest.raises(error, match="no"):
        pods.logs("x")
    with pytest.raises(error, match="no"):
        pods.logs("x", follow=True)
    with pytest.raises(error, match="no"):
        pods.get_logs("x").stream()


def test_cli_10_an_eviction_that_a_budget_blocks_is_asked_for_once(serve) -> None:
    causes = [{"reason": "DisruptionBudget", "message": "needs 2 healthy pods and has 2 currently"}]
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": 429,
        "reason": "TooManyRequests",
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "details": {"causes": causes},
    }
    pods, server = serve(lambda exchange: exchange.reply(429, status))

    with pytest.raises(errors.TooManyRequests, match="disruption budget") as caught:
        pods.evict("x")

    assert caught.value.has_cause("DisruptionBudget")
    assert len(server.requests) == 1


def test_cli_06_a_failure_returns_nothing_and_changes_nothing(serve) -> None:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 409, "reason": "Conflict"}
    pods, _ = serve(lambda exchange: exchange.reply(409, status))
    pod = Pod.from_dict({"metadata": {"name": "x", "resourceVersion": "1"}})

    with pytest.raises(errors.Conflict):
        pods.update(pod)

    assert pod == Pod.from_dict({"metadata": {"name": "x", "resourceVersion": "1"}})
