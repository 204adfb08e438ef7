"""One client, many threads, and a server that answers late, half or not at all: nobody gets another's answer."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import threading

import pytest

from k8srt.errors import TransportError
from k8srt.rest import RESTClient
from tests.faults.clients import SHORT, client
from tests.integration.wire import Exchange, WireServer, event

pytestmark = pytest.mark.timeout(60)

PAUSE = threading.Event()


class Echo:
    """Answers each request with its own path as the name, sometimes after the client has gone."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._lock = threading.Lock()  # guards _rng

    def __call__(self, exchange: Exchange) -> None:
        with self._lock:
            luck, cut = self._rng.random(), self._rng.randrange(100)
        name = exchange.path.partition("?")[0].rpartition("/")[2]
        if "watch=true" in exchange.path:
            self._watch(exchange, name)
            return
        said = json.loads(exchange.body) if exchange.body else {}
        body = json.dumps({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name}, "said": said}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if luck < 0.02:  # too late: the client has given up, and this must not reach its next request
            PAUSE.wait(SHORT * 1.5)
        elif luck < 0.05:
            exchange.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        elif luck < 0.1:
            exchange.raw((head + body)[:cut])
            (exchange.reset if luck < 0.08 else exchange.hang_up)()
            return
        elif luck < 0.2:  # more than was asked for
            body += b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        exchange.raw(head + body)

    def _watch(self, exchange: Exchange, name: str) -> None:
        exchange.stream()
        for number in range(5):
            exchange.chunk(event(f"{name}-{number}"))
        exchange.end()


def test_usr_13_sixteen_threads_on_one_client_never_get_each_other_s_answers() -> None:
    wrong: list[str] = []
    done = itertools.count()

    def work(rest: RESTClient, me: int) -> None:
        for turn in range(60):
            name = f"n{me}-{turn}"
            with contextlib.suppress(TransportError):
                if turn % 10 == me % 10:
                    watch = rest.get().abs_path(f"/watch/{name}").param("watch", "true").max_retries(0).watch()
                    seen = [record.name for _, record in watch]
                    if seen != [f"{name}-{number}" for number in range(len(seen))]:
                        wrong.append(f"{name} saw {seen}")
                    continue
                request = rest.post().body({"i": name}) if turn % 3 else rest.get()
                found = json.loads(request.abs_path(f"/pods/{name}").max_retries(0).do().raw())
                if found["metadata"]["name"] != name or found["said"] != ({"i": name} if turn % 3 else {}):
                    wrong.append(f"{name} got {found}")
                next(done)

    with WireServer(Echo(seed=7)) as server, client(server, silence=SHORT) as rest:
        threads = [threading.Thread(target=work, args=(rest, me)) for me in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50.0)

    assert wrong == []
    assert next(done) > 500
