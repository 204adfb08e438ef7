"""Sending: limits, retries, errors, results."""

from __future__ import annotations

import json
import logging
import threading

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod, PodList
from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.rest import End
from k8srt.transport.failures import transport_error
from k8srt.util.flowcontrol import NeverAccept
from tests.unit.rest.fakes import FakeReply, fake_client

RESET = transport_error(ConnectionResetError(), "GET", "http://fake")
POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'
FAILURE = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"gone"}'


class CountingLimiter:
    qps = 1.0

    def __init__(self, waits: float = 0.0) -> None:
        self.calls = 0
        self.waits = waits

    def try_accept(self) -> bool:
        return True

    def wait(self, stop: threading.Event | None = None, deadline: float | None = None) -> float:
        self.calls += 1
        return self.waits


def test_rest_20_the_limiter_is_asked_before_each_attempt_but_a_first_watch() -> None:
    asked = FakeReply(429, headers={"retry-after": "1"})
    limiter = CountingLimiter()

    client, _, _ = fake_client(asked, asked, FakeReply(body=POD), rate_limiter=limiter)
    client.get().do()
    assert limiter.calls == 3

    client, _, _ = fake_client(asked, FakeReply(body=b""), rate_limiter=limiter)
    client.get().watch()
    assert limiter.calls == 4


def test_rest_20_long_waits_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="k8srt.rest.execute"):
        for waits in (0.01, 0.06, 1.5):
            client, _, _ = fake_client(rate_limiter=CountingLimiter(waits))
            client.get().do()

    levels = [record.levelno for record in caplog.records if "rate limit" in record.getMessage()]
    assert levels == [logging.DEBUG, logging.INFO]


def test_rest_20_a_limiter_that_refuses_ends_the_call() -> None:
    client, transport, _ = fake_client(rate_limiter=NeverAccept())

    with pytest.raises(errors.WaitTimeout):
        client.get().do()
    assert transport.sent == []


def test_rest_22_rest_26_retry_after_is_slept_and_the_connection_used_again() -> None:
    asked = FakeReply(503, headers={"retry-after": "3", "content-length": "2"})
    client, transport, clock = fake_client(asked, asked, FakeReply(201, POD))

    result = client.post().resource("pods").body({}).do()

    assert clock.waits == [3.0, 3.0]
    assert len(transport.sent) == 3
    assert not asked.closed
    assert result.was_created


def test_a_refusal_by_priority_and_fairness_says_how_it_was_counted() -> None:
    uids = {"x-kubernetes-pf-flowschema-uid": "f-1", "x-kubernetes-pf-prioritylevel-uid": "p-1"}
    client, _, _ = fake_client(FakeReply(429, b"Too many requests", {"content-type": "text/plain", **uids}))

    with pytest.raises(errors.TooManyRequests) as caught:
        client.post().resource("pods").do()
    assert "it was counted to flow schema f-1 and priority level p-1" in caught.value.__notes__


def test_rest_26_a_big_body_is_not_drained() -> None:
    asked = FakeReply(503, headers={"retry-after": "1", "content-length": "1000000"})
    client, _, _ = fake_client(asked, FakeReply(body=POD))

    client.get().do()

    assert asked.closed


def test_rest_22_eleven_requests_at_most() -> None:
    client, transport, _ = fake_client(FakeReply(429, b"", {"retry-after": "1"}))

    with pytest.raises(errors.TooManyRequests):
        client.get().do()
    assert len(transport.sent) == 11


def test_rest_23_a_get_survives_lost_connections_and_a_post_does_not() -> None:
    client, transport, clock = fake_client(RESET, RESET, FakeReply(body=POD))
    client.get().do()
    assert clock.waits == [1.0, 1.0]

    client, transport, _ = fake_client(RESET, FakeReply(body=POD))
    with pytest.raises(errors.TransportError, match="reset"):
        client.post().do()
    assert len(transport.sent) == 1


def test_rest_23_a_watch_whose_budget_is_spent_is_empty_and_closed() -> None:
    client, transport, _ = fake_client(RESET)

    stream = client.get().watch()

    assert stream.read_batch() == []
    assert stream.ended is End.FINISHED
    assert len(transport.sent) == 11


def test_rest_23_a_refused_watch_raises_at_once() -> None:
    client, transport, _ = fake_client(errors.ConnectionRefused("no"))

    with pytest.raises(errors.ConnectionRefused):
        client.get().watch()
    assert len(transport.sent) == 1


def test_rest_24_a_stop_ends_the_waiting() -> None:
    client, transport, clock = fake_client(FakeReply(429, headers={"retry-after": "100"}))
    stop = threading.Event()
    clock.wait_event = lambda event, timeout: event.set() or True  # type: ignore[method-assign, func-returns-value]

    with pytest.raises(errors.Stopped):
        client.get().do(stop)
    assert len(transport.sent) == 1


def test_rest_24_max_retries() -> None:
    client, transport, _ = fake_client(FakeReply(429, headers={"retry-after": "1"}))

    with pytest.raises(errors.TooManyRequests):
        client.get().max_retries(-5).do()
    assert len(transport.sent) == 1


def test_rest_25_the_error_tells_of_the_attempt_before() -> None:
    client, _, _ = fake_client(RESET, FakeReply(404, FAILURE))

    with pytest.raises(errors.NotFound, match="gone - error from a previous attempt: GET http://fake"):
        client.get().do()


def test_no_time_left_ends_the_retries() -> None:
    client, transport, _ = fake_client(FakeReply(429, headers={"retry-after": "100"}))

    with pytest.raises(errors.TransportError, match="no time is left"):
        client.get().timeout(5).do()
    assert len(transport.sent) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 101])
def test_rest_28_rest_30_successes(status: int) -> None:
    client, _, _ = fake_client(FakeReply(status, POD))

    result = client.get().do()

    assert result.raw() == POD
    assert result.into(Pod).metadata.name == "x"
    assert result.into(Unstructured)["metadata"]["name"] == "x"
    assert result.was_created == (status == 201)


@pytest.mark.parametrize("status", [207, 301, 304, 400, 500])
def test_rest_28_everything_else_is_an_error(status: int) -> None:
    client, _, _ = fake_client(FakeReply(status, b""))

    with pytest.raises(errors.StatusError) as caught:
        client.get().do()
    assert caught.value.code == status


def test_rest_28_an_empty_body_cannot_be_decoded_but_read() -> None:
    client, _, _ = fake_client(FakeReply(200, b""))
    result = client.get().resource("pods").do()

    assert result.raw() == b""
    with pytest.raises(errors.DecodeError, match="0-length response with status code 200"):
        result.into(Pod)


def test_rest_29_a_failure_in_a_200_is_raised_when_it_is_decoded() -> None:
    client, _, _ = fake_client(FakeReply(200, FAILURE))
    result = client.get().do()

    for decode in (lambda: result.into(Pod), lambda: result.into(Unstructured), result.record, result.records):
        with pytest.raises(errors.NotFound, match="gone"):
            decode()


def test_results_decode_into_structs_and_lists() -> None:
    body = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}).encode()
    client, _, _ = fake_client(FakeReply(body=body))
    success, _, _ = fake_client(FakeReply(body=b'{"kind":"Status","status":"Success"}'))

    assert [pod.metadata.name for pod in client.get().do().into(PodList)] == ["a"]
    assert success.get().do().into(Status).status == "Success"


@pytest.mark.parametrize("body", [b"{", b"<html>login</html>", b"[]", b'{"kind":"Node","apiVersion":"v1"}'])
def test_a_body_that_is_something_else_names_the_request_and_the_type(body: bytes) -> None:
    client, _, _ = fake_client(FakeReply(200, body, {"content-type": "text/html"}))

    with pytest.raises(errors.DecodeError, match=r"GET http://fake/api/v1/pods/x: .*text/html"):
        client.get().resource("pods").name("x").do().into(Pod)


def test_rest_34_a_body_that_breaks_off_is_told_and_not_retried() -> None:
    class Broken(FakeReply):
        def read(self, deadline: float | None = None) -> bytes:
            raise transport_error(ConnectionResetError(), "GET", "http://fake")

    for status in (200, 500):
        client, transport, _ = fake_client(Broken(status))
        with pytest.raises(errors.TransportError, match=r"Please retry\. Original error: GET http://fake: "):
            client.get().resource("pods").do()
        assert len(transport.sent) == 1


def test_rest_35_warnings_reach_the_handler_of_the_request_else_the_client() -> None:
    got: list[str] = []
    reply = FakeReply(404, FAILURE, {"warning": '299 - "old api"'})
    client, _, _ = fake_client(reply, warning_handler=lambda code, agent, text: got.append(f"client {text}"))

    for request in (client.get(), client.get().on_warning(lambda code, agent, text: got.append(f"request {text}"))):
        with pytest.raises(errors.NotFound):
            request.do()

    assert got == ["client old api", "request old api"]


def test_usr_16_calls_have_a_read_timeout_by_default() -> None:
    client, transport, _ = fake_client()

    client.get().do()

    assert transport.sent[0]["read_timeout"] is None  # the transport's own then holds
    assert client.config.read_timeout == 75.0


@pytest.mark.parametrize("body", [POD, b'{"kind":"Status","apiVersion":"v1","status":"Success"}'])
def test_what_is_no_list_is_no_empty_list(body: bytes) -> None:
    """A cache that believed it would lose all it has."""
    client, _, _ = fake_client(FakeReply(200, body))
    result = client.get().resource("pods").do()

    for decode in (result.records, lambda: result.into(PodList)):
        with pytest.raises(errors.DecodeError, match="is no list"):
            decode()


@pytest.mark.parametrize(
    "body", [b'{"kind":"FooBunch","items":[]}', b'{"kind":"FooBunch","items":null}', b'{"kind":"PodList"}', b"{}"]
)
def test_an_empty_list_may_have_any_kind(body: bytes) -> None:
    client, _, _ = fake_client(FakeReply(200, body))

    assert client.get().resource("foos").do().records().records == []
