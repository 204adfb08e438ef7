"""An informer is stopped at whatever moment, and ends: over HTTP, against a server that never goes on by itself.

That no thread is left, not even one that reads, is seen to by a fixture for all tests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.util.threads import Stop
from k8srt.util.wait import Backoff
from tests.integration.wire import Exchange, WireServer

pytestmark = pytest.mark.embedded

WAIT = 20.0
FOR_EVER = Backoff(initial=3600.0, factor=1.0, cap=3600.0)
LIST = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "1"}, "items": []}
LINE = json.dumps({"type": "ADDED", "object": {"metadata": {"name": "m", "resourceVersion": "2"}}}).encode()

Serve = Callable[[Exchange], object]


def nothing(exchange: Exchange) -> None:
    """No head of an answer."""


def half_a_head(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Ty")


def half_a_list(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
    exchange.raw(b'{"apiVersion":"v1","kind":"ConfigMapList","items":[{"metadata":')


def quiet(exchange: Exchange) -> None:
    exchange.stream()


def half_a_line(exchange: Exchange) -> None:
    exchange.stream()
    exchange.chunk(LINE + b"\n" + LINE[:20])


@pytest.mark.parametrize(
    ("on_list", "on_watch", "watch_list"),
    [
        (nothing, None, False),
        (half_a_head, None, False),
        (half_a_list, None, False),
        (None, nothing, False),
        (None, half_a_head, False),
        (None, quiet, False),
        (None, half_a_line, False),
        (None, nothing, True),
        (None, quiet, True),
        (None, half_a_line, True),
    ],
)
@pytest.mark.parametrize("own_stop", [True, False], ids=["event", "shutdown"])
def test_refl_09_a_stop_in_the_middle_of_anything_ends_it(
    on_list: Serve | None, on_watch: Serve | None, watch_list: bool, own_stop: bool
) -> None:
    reached = threading.Event()

    def respond(exchange: Exchange) -> None:
        serve = on_watch if "watch=true" in exchange.path else on_list
        if serve is None:
            exchange.reply(200, LIST)
            return
        serve(exchange)
        reached.set()
        exchange.wait_for_hang_up()

    stop = Stop()
    with WireServer(respond) as server, Clientset(server.config()) as cs:
        factory = SharedInformerFactory(cs, watch_list=watch_list, backoff=FOR_EVER)
        informer = factory.core_v1.config_maps.informer
        factory.start(stop if own_stop else None)
        assert reached.wait(WAIT)
        stop.set()
        stopped = threading.Thread(target=factory.shutdown, name="test-shutdown", daemon=True)
        stopped.start()
        stopped.join(WAIT)

        assert not stopped.is_alive()
        assert informer.is_stopped()


def test_refl_09_a_stop_in_a_backoff_ends_it() -> None:
    refused = threading.Event()

    def respond(exchange: Exchange) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden"}
        exchange.reply(403, status)
        refused.set()

    with WireServer(respond) as server, Clientset(server.config()) as cs:
        factory = SharedInformerFactory(cs, watch_list=False, backoff=FOR_EVER)
        informer = factory.core_v1.config_maps.informer
        informer.set_watch_error_handler(lambda reflector, err: None)
        factory.start()
        assert refused.wait(WAIT)
        stopped = threading.Thread(target=factory.shutdown, name="test-shutdown", daemon=True)
        stopped.start()
        stopped.join(WAIT)

        assert not stopped.is_alive()
        assert informer.is_stopped()
