"""The client's own rate limit: one for each client, shared by its threads and group-versions."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.rest import Config, RESTClient
from k8srt.rest.limits import make_limiter
from k8srt.testing.clock import FakeClock
from k8srt.util.flowcontrol import TokenBucket, Unlimited
from k8srt.util.threads import Stop
from tests.unit.rest.fakes import FakeReply, FakeTransport

POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'


def limited(clock: FakeClock, qps: float, burst: int) -> tuple[RESTClient, FakeTransport]:
    client = RESTClient(Config(host="http://fake", qps=qps, burst=burst), "v1", clock=clock)
    transport = FakeTransport(FakeReply(body=POD))
    client.transport = transport  # type: ignore[assignment]
    return client, transport


def test_rest_01_and_usr_17_five_a_second_and_ten_at_once_unless_said_otherwise() -> None:
    default, own = make_limiter(Config()), make_limiter(Config(qps=50, burst=100))

    assert isinstance(default, TokenBucket)
    assert isinstance(own, TokenBucket)
    assert (default.qps, default.burst) == (5.0, 10)
    assert (own.qps, own.burst) == (50.0, 100)
    assert isinstance(make_limiter(Config(qps=-1)), Unlimited)


def test_group_versions_of_a_client_share_its_limit_and_other_clients_do_not() -> None:
    client, _ = limited(FakeClock(), 1.0, 1)
    other, _ = limited(FakeClock(), 1.0, 1)

    assert client.for_group_version("apps/v1").rate_limiter is client.rate_limiter
    assert other.rate_limiter is not client.rate_limiter


def test_usr_17_a_burst_goes_at_once_and_the_rest_at_the_rate(pool) -> None:
    clock, stop = FakeClock(), Stop()
    client, transport = limited(clock, qps=2.0, burst=3)

    def work() -> None:
        for _ in range(6):
            client.get().resource("pods").do(stop)

    running = pool.submit(work)
    sent = []
    for _ in range(3):
        clock.wait_for_sleepers(1)
        sent.append(len(transport.sent))
        clock.advance(0.5)
    running.result(timeout=10.0)

    assert sent == [3, 4, 5]
    assert len(transport.sent) == 6


def test_usr_17_threads_take_turns(pool) -> None:
    """However many ask at once and whoever is quickest: nobody is ever more than one request ahead."""
    clock, stop = FakeClock(), Stop()
    client, _ = limited(clock, qps=1.0, burst=1)
    client.get().resource("pods").do()  # the burst
    counts = [0] * 5

    def work(me: int) -> None:
        for _ in range(6):
            client.get().resource("pods").do(stop)
            counts[me] += 1

    running = [pool.submit(work, me) for me in range(5)]
    for turn in range(26):
        clock.wait_for_sleepers(5)
        assert sum(counts) == turn
        assert max(counts) - min(counts) <= 1
        clock.advance(1.0)
    clock.advance(10.0)
    for each in running:
        each.result(timeout=10.0)

    assert counts == [6] * 5


def test_rest_20_a_call_that_would_wait_past_its_end_is_not_sent() -> None:
    """REST-15: its time begins once it may be sent; only what is repeated waits within it."""
    clock = FakeClock()
    client, transport = limited(clock, qps=0.1, burst=1)
    transport.answers = [FakeReply(429, headers={"retry-after": "0"}), FakeReply(body=POD)]

    with pytest.raises(errors.WaitTimeout, match="too late"):
        client.get().resource("pods").timeout(5).do()
    assert len(transport.sent) == 1
