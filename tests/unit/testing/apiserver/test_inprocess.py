"""The server without HTTP, under the real client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import TimeoutExpired
from k8srt.kubernetes import Clientset
from k8srt.rest import Config, End, RESTClient
from k8srt.testing import FakeClock
from k8srt.testing.apiserver.inprocess import InProcess
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.prepared import PreparedCluster
from tests.conftest import Pool


def over(handle: Callable[[Request], Response], clock: FakeClock | None = None) -> RESTClient:
    clock = clock or FakeClock()
    return RESTClient(Config(host="http://x", qps=-1, transport=InProcess(handle, clock=clock)), clock=clock)


@pytest.fixture
def clientset() -> Clientset:
    cluster = PreparedCluster()
    return Clientset(Config(host="http://x", qps=-1, transport=InProcess(cluster.dispatcher.handle)))


def named(name: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name))


def test_requests_reach_the_server_as_they_would_over_http() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"{}", headers=[("Warning", '299 - "old"'), ("Warning", '299 - "slow"')])

    result = over(handle).post().abs_path("/a b").param("x", "1").header("X-Some", "Thing").body({"k": 1}).do()

    assert seen[0].path == "/a b"
    assert seen[0].param("x") == "1"
    assert seen[0].header("x-some") == "Thing"
    assert json.loads(seen[0].body) == {"k": 1}
    assert [warning.text for warning in result.warnings] == ["old", "slow"]
    assert result.content_type == "application/json"


def test_a_watch_is_woken_by_its_close_from_any_thread(clientset: Clientset, pool: Pool) -> None:
    stream = clientset.core_v1.config_maps("default").watch_records()
    reading = pool.submit(lambda: list(stream))

    stream.close()

    assert reading.result(timeout=10) == []
    assert stream.ended is End.CLOSED


def test_a_watch_sees_what_others_write_while_it_waits(clientset: Clientset, pool: Pool) -> None:
    maps = clientset.core_v1.config_maps("default")
    with maps.watch(resource_version=maps.list().metadata.resource_version) as events:
        first = pool.submit(lambda: next(events))
        maps.create(named("a"))

        assert str(first.result(timeout=10).object.metadata.name) == "a"


def test_a_request_that_takes_longer_than_it_may_has_timed_out() -> None:
    clock = FakeClock()

    def slow(request: Request) -> Response:
        clock.advance(10)
        return Response(200, b"{}")

    with pytest.raises(TimeoutExpired):
        over(slow, clock).get().abs_path("/x").timeout(5).do()


def test_a_body_can_be_read_in_pieces() -> None:
    client = over(lambda request: Response(200, b"0123456789", "text/plain"))

    with client.get().abs_path("/log").stream() as raw:
        assert [raw.read(4), raw.read(4), raw.read(4), raw.read(4)] == [b"0123", b"4567", b"89", b""]


def test_nothing_runs_in_the_background(clientset: Clientset) -> None:
    clientset.core_v1.config_maps("default").create(named("a"))

    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("k8srt-")]
