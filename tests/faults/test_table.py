"""Each fault gives the one exception that docs/errors.md names, in bounded time, and takes nothing along with it."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod, PodList
from k8srt.errors import DecodeError, K8srtError, StatusError, TransportError
from k8srt.gentype import ResourceClient
from k8srt.rest import Config, End, RESTClient
from k8srt.util.threads import Stop
from tests.faults.clients import SHORT, HastyClock, client
from tests.faults.table import (
    OPENINGS,
    POD,
    REQUESTS,
    SILENT,
    WATCHES,
    Exchange,
    Respond,
    Watch,
    answer,
    cases,
    documented,
    names,
    nothing,
    say,
    sized,
    trickle,
)
from tests.integration.wire import WireServer, event

pytestmark = pytest.mark.timeout(20)

KNOWN = documented()
EMPTY = "an empty watch"


def told(error: K8srtError, server: WireServer) -> None:
    """Every error says what was asked of whom, and nothing of the credentials."""
    text = str(error) + " ".join(getattr(error, "__notes__", []))

    assert "pods" in text
    assert "hunter2" not in text
    assert len(text) < 3000
    assert text.isprintable()
    if isinstance(error, TransportError):
        assert f"{server.url}/api/v1/" in text
        assert error.url.startswith(server.url)


def test_the_table_and_the_tests_speak_of_the_same_faults() -> None:
    apart = {
        "nothing listens",
        "connecting takes longer than connect_timeout",
        "the body trickles longer than timeout",
    }

    assert {*KNOWN} == {*REQUESTS, *apart}
    assert {fault for fault, outcome in KNOWN.items() if outcome.opening and fault not in apart} == {*OPENINGS}
    assert {fault for fault, outcome in KNOWN.items() if outcome.watch} == {*WATCHES}


def silence(fault: str) -> float:
    return SHORT if fault in SILENT else 10.0


def retries(fault: str) -> int:
    return 10 if "eleven" in fault else 0


@pytest.mark.parametrize(("fault", "respond"), cases(REQUESTS), ids=names(REQUESTS))
def test_getting(fault: str, respond: Respond) -> None:
    check_request(fault, respond, "GET", Pod)


@pytest.mark.parametrize(("fault", "servers"), list(REQUESTS.items()), ids=list(REQUESTS))
@pytest.mark.parametrize(("verb", "kind"), [("GET", PodList), ("DELETE", Pod)], ids=["list", "delete"])
def test_listing_and_deleting(fault: str, servers: list[Respond], verb: str, kind: type) -> None:
    check_request(fault, servers[0], verb, kind)


def check_request(fault: str, respond: Respond, verb: str, kind: type) -> None:
    with WireServer(respond) as server, client(server, silence(fault), bearer_token="hunter2") as rest:
        request = rest.verb(verb).namespace("d").resource("pods").max_retries(retries(fault))
        if kind is Pod:
            request.name("x")

        with pytest.raises(K8srtError) as caught:
            request.do().into(kind)

        assert type(caught.value).__name__ == KNOWN[fault].request
        told(caught.value, server)
        assert len(server.requests) == (11 if "eleven" in fault else 1)

        server._respond = answer(body=b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"next"}}')
        assert rest.get().abs_path("/next").do().into(Pod).metadata.name == "next"


@pytest.mark.parametrize(("fault", "respond"), cases(OPENINGS), ids=names(OPENINGS))
def test_opening_a_watch(fault: str, respond: Respond) -> None:
    with WireServer(respond) as server, client(server, silence(fault), bearer_token="hunter2") as rest:
        request = rest.get().namespace("d").resource("pods").param("watch", "true").max_retries(retries(fault))

        if KNOWN[fault].opening == EMPTY:
            stream = request.watch()
            assert stream.read_batch() == []
            assert stream.ended is End.FINISHED
        else:
            with pytest.raises(K8srtError) as caught:
                request.watch()
            assert type(caught.value).__name__ == KNOWN[fault].opening
            told(caught.value, server)


@pytest.mark.parametrize(("fault", "watch"), cases(WATCHES), ids=names(WATCHES))
def test_an_open_watch(fault: str, watch: Watch) -> None:
    respond = watch(event("a") + event("b", version=2))
    with WireServer(respond) as server, client(server, silence(fault)) as rest:
        events = ResourceClient(rest, Pod).watch(resource_version="1")
        seen = []

        def read() -> None:
            for one in events:
                seen.append(one.object.metadata.name)

        if KNOWN[fault].watch == "End.FAILED":
            with pytest.raises(DecodeError, match=r"get pods: unable to decode event 3, within the first \d+ bytes"):
                read()
        else:
            read()

        assert seen == ["a", "b"]
        assert str(events.ended) == KNOWN[fault].watch


# ---- what takes more than a server that answers ---------------------------------------------------------------------


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    rest = RESTClient(Config(host=f"127.0.0.1:{port}", qps=-1.0), "v1", clock=HastyClock())

    assert KNOWN["nothing listens"] == ("ConnectionRefused", "ConnectionRefused", "")
    for call in (rest.get().resource("pods").do, rest.get().resource("pods").watch, rest.post().do):
        with pytest.raises(errors.ConnectionRefused):
            call()


def test_connecting_takes_too_long() -> None:
    with socket.socket() as listener:  # bound, with a full backlog: connecting hangs
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        host = f"127.0.0.1:{address[1]}"
        rest = RESTClient(Config(host=host, qps=-1.0, connect_timeout=0.1), "v1", clock=HastyClock())

        assert KNOWN["connecting takes longer than connect_timeout"] == ("TimeoutExpired", EMPTY, "")
        with pytest.raises(errors.TimeoutExpired, match="while connecting"):
            rest.get().resource("pods").do()
        assert rest.get().resource("pods").max_retries(0).watch().read_batch() == []
        for filler in fillers:
            filler.close()


def test_a_call_that_may_take_so_long_ends_in_time_in_the_head_too() -> None:
    with WireServer(say(b"HTTP/1.1 200 OK\r\nX: ", then=trickle)) as server:
        rest = client(server)
        with pytest.raises(errors.TimeoutExpired, match="timed out"):
            rest.get().resource("pods").timeout(0.3).do()


def test_a_stop_ends_the_wait_for_a_head_that_trickles(pool) -> None:
    begun, stop = threading.Event(), Stop()

    def respond(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 OK\r\nX: ")
        begun.set()
        trickle(exchange)

    with WireServer(respond) as server, client(server) as rest:
        running = pool.submit(rest.get().resource("pods").do, stop)
        assert begun.wait(10.0)
        stop.set()

        with pytest.raises(errors.Stopped):
            running.result(timeout=10.0)


@pytest.mark.parametrize("size", [0, 1, 50, len(sized(POD)) - 1, len(sized(POD))])
def test_a_big_body_is_read_in_pieces(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("k8srt.transport.reply._BIG", 1)

    with WireServer(say(sized(POD)[:size])) as server, client(server) as rest:
        request = rest.get().resource("pods").name("x").max_retries(0)
        if size < len(sized(POD)):
            with pytest.raises(TransportError):
                request.do()
        else:
            assert request.do().raw() == POD


def test_the_body_trickles_for_longer_than_the_call_may_take() -> None:
    with WireServer(say(sized(b"x" * 100_000)[:-100_000], then=trickle)) as server:
        rest = client(server)
        with pytest.raises(errors.TimeoutExpired, match="timed out"):
            rest.get().resource("pods").timeout(0.3).do()


# ---- what is repeated -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_usr_17_any_verb_is_repeated_when_the_server_says_when(verb: str) -> None:
    refusals = iter(
        [answer(429, b"", Retry_After="3"), answer(503, b"", Retry_After="2"), answer(500, b"", Retry_After="0")]
    )

    def respond(exchange: Exchange) -> None:
        next(refusals, answer())(exchange)

    with WireServer(respond) as server, client(server) as rest:
        assert rest.verb(verb).resource("pods").body({"kind": "Pod"}).do().status_code == 200

        assert [request.method for request in server.requests] == [verb] * 4
        assert {request.body for request in server.requests} == {b'{"kind":"Pod"}'}
        assert isinstance(rest.clock, HastyClock)
        assert rest.clock.waits == [3.0, 2.0, 0.0]
        assert server.connections == 1


@pytest.mark.parametrize("way", [Exchange.hang_up, Exchange.reset], ids=["closed", "reset"])
def test_usr_17_a_read_survives_ten_lost_connections_and_a_write_none(way: Respond) -> None:
    lost = 0

    def respond(exchange: Exchange) -> None:
        nonlocal lost
        lost += 1
        (answer() if lost == 11 else way)(exchange)

    with WireServer(respond) as server, client(server) as rest:
        assert rest.get().resource("pods").name("x").do().into(Pod).metadata.name == "x"
        for verb in ("POST", "PUT", "PATCH", "DELETE"):
            lost = 0
            with pytest.raises(TransportError):
                rest.verb(verb).resource("pods").name("x").do()
            assert lost == 1


def test_rest_25_an_error_tells_of_another_one_before_it() -> None:
    ways = iter([Exchange.reset, answer(404, b"")])

    with WireServer(lambda exchange: next(ways)(exchange)) as server:
        rest = client(server)
        with pytest.raises(errors.NotFound, match=r"- error from a previous attempt: GET http://.*: connection reset"):
            rest.get().resource("pods").name("x").do()


# ---- what is no fault -----------------------------------------------------------------------------------------------


def test_interim_answers_and_members_of_gzip_are_no_faults() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    body = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'
    packed = gzip.compress(body[:20]) + gzip.compress(body[20:])

    respond = say(hints + sized(packed, b"Content-Encoding: gzip"), then=nothing)
    with WireServer(respond) as server, client(server) as rest:
        assert rest.get().resource("pods").name("x").do().raw() == body


def test_every_status_is_one_error() -> None:
    """No code an HTTP server may send leads to anything else than a StatusError or a success."""
    code = 0

    def respond(exchange: Exchange) -> None:
        exchange.reply(code, b"")

    with WireServer(respond) as server, client(server) as rest:
        for code in [*range(207, 230), *range(300, 312), *range(400, 452), *range(500, 512), 599, 600, 999]:
            with pytest.raises(StatusError) as caught:
                rest.get().resource("pods").name("x").do()
            assert caught.value.code == code
        assert server.connections == 1


def test_events_that_come_in_any_pieces_are_the_same_events() -> None:
    """REST-40: chunk borders and packets mean nothing."""
    stream = b"".join(event(f"p{number}", version=number) for number in range(3))
    stream = stream.replace(b'"p1"', b'"p1","labels":{"a":"\xc3\xbc{}\\"\\n"}')
    size = 0

    def respond(exchange: Exchange) -> None:
        exchange.stream()
        for at in range(0, len(stream), size):
            exchange.chunk(stream[at : at + size])
        exchange.end()

    with WireServer(respond) as server, client(server) as rest:
        for size in [*range(1, 40), len(stream) // 2, len(stream) - 1, len(stream)]:  # noqa: B007
            watch = rest.get().resource("pods").watch()
            assert [record.name for _, record in watch] == ["p0", "p1", "p2"]
            assert watch.ended is End.FINISHED
