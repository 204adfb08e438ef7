"""Bad input over real sockets: one clear exception or log line that names what and where, in bounded time."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import k8srt
from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.rest import Config, End
from tests.integration.wire import Exchange, WireServer, event

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(30)]


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Exchange], object]], Clientset]]:
    """Start a server that answers as told, and a clientset of it."""
    servers: list[WireServer] = []

    def start(respond: Callable[[Exchange], object]) -> Clientset:
        servers.append(WireServer(respond))
        return Clientset(servers[-1].config(read_timeout=2.0, connect_timeout=2.0, bearer_token="hunter2"))

    yield start
    for server in servers:
        server.__exit__()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_nothing_listens() -> None:
    port = closed_port()
    cs = Clientset(Config(host=f"127.0.0.1:{port}", qps=-1))

    with pytest.raises(errors.ConnectionRefused) as caught:
        cs.core_v1.pods("d").get("x")

    assert f"GET http://127.0.0.1:{port}/api/v1/namespaces/d/pods/x: connection refused" in str(caught.value)


def test_no_such_host() -> None:
    cs = Clientset(Config(host="no-such-host.invalid", qps=-1, connect_timeout=5.0))

    with pytest.raises(errors.TransportError, match=r"http://no-such-host\.invalid/.*cannot be resolved"):
        cs.core_v1.pods("d").get("x")


def test_a_peer_that_never_accepts_is_given_up() -> None:
    with socket.socket() as listener:  # bound, with a full backlog: connecting hangs
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        cs = Clientset(Config(host=f"127.0.0.1:{address[1]}", qps=-1, connect_timeout=0.3, read_timeout=0.3))
        with pytest.raises(errors.TimeoutExpired, match="timed out"):
            cs.core_v1.pods("d").get("x")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize(("code", "kind"), [(401, errors.Unauthorized), (403, errors.Forbidden)])
def test_refusals_keep_the_server_s_words(serve, code: int, kind: type[errors.StatusError]) -> None:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": kind.reasons[0]}
    cs = serve(lambda exchange: exchange.reply(code, {**body, "message": "user jane cannot get pods"}))

    with pytest.raises(kind, match="user jane cannot get pods") as caught:
        cs.core_v1.pods("d").get("x")

    assert "/api/v1/namespaces/d/pods/x" in caught.value.__notes__[0]
    assert "hunter2" not in str(caught.value) + str(caught.value.__notes__)


@pytest.mark.parametrize(("code", "kind"), [(401, errors.Unauthorized), (403, errors.Forbidden)])
def test_refusals_without_a_status_name_the_request(serve, code: int, kind: type[errors.StatusError]) -> None:
    cs = serve(lambda exchange: exchange.reply(code, b"go away", Content_Type="text/plain"))

    with pytest.raises(kind, match=r"\(get pods x\)"):
        cs.core_v1.pods("d").get("x")


def test_a_page_of_html_from_a_proxy(serve) -> None:
    page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    cs = serve(lambda exchange: exchange.reply(502, page, Content_Type="text/html"))

    with pytest.raises(errors.InternalError, match=r"502 Bad Gateway.*get pods x"):
        cs.core_v1.pods("d").get("x")


def test_a_page_of_html_instead_of_an_object(serve) -> None:
    cs = serve(lambda exchange: exchange.reply(200, b"<html>please log in</html>", Content_Type="text/html"))

    for call in (lambda: cs.core_v1.pods("d").get("x"), lambda: cs.core_v1.pods("d").list()):
        with pytest.raises(errors.DecodeError, match=r"GET http://127.*/pods.*text/html.*please log in"):
            call()


def test_a_redirect_is_not_followed_and_takes_no_token_elsewhere(serve) -> None:
    seen: list[str] = []

    def respond(exchange: Exchange) -> None:
        seen.append(exchange.path)
        exchange.reply(302, b"", Location="http://127.0.0.1:1/elsewhere")

    cs = serve(respond)

    with pytest.raises(errors.StatusError) as caught:
        cs.core_v1.pods("d").get("x")
    assert caught.value.code == 302
    assert len(seen) == 1


@pytest.mark.parametrize(
    "body", [b'{"kind":"Pod","metadata":{"name":"x"', b"{]", b"[1,2]", b'"text"', b"\xff\xfe", b'{"metadata":7}']
)
def test_malformed_json(serve, body: bytes) -> None:
    cs = serve(lambda exchange: exchange.reply(200, body))

    with pytest.raises(errors.DecodeError, match=r"GET http://127.*/pods/x: cannot read the answer"):
        cs.core_v1.pods("d").get("x")


def test_malformed_items_of_a_list(serve) -> None:
    cs = serve(lambda exchange: exchange.reply(200, b'{"kind":"PodList","items":[{"metadata":{"name":5}}]}'))

    with pytest.raises(errors.DecodeError, match="cannot read the answer"):
        cs.core_v1.pods("d").list()


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["no HTTP", "status", "long header", "many headers", "short body", "chunk size", "cut chunk", "no gzip"],
)
def test_malformed_http(serve, raw: bytes) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.raw(raw)
        exchange.hang_up()

    cs = serve(respond)

    with pytest.raises(errors.TransportError) as caught:
        cs.rest_client.get().abs_path("/x").max_retries(0).do()
    assert "/x" in str(caught.value)


def test_gzip_that_is_cut_short(serve) -> None:
    whole = gzip.compress(b'{"kind":"Pod","metadata":{"name":"x"}}')
    cs = serve(lambda exchange: exchange.reply(200, whole[:-9], Content_Encoding="gzip"))

    with pytest.raises(errors.TransportError, match="cut short"):
        cs.core_v1.pods("d").get("x")


def test_a_connection_that_dies_at_any_byte_of_the_answer(serve) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"
    cut = 0

    def respond(exchange: Exchange) -> None:
        exchange.raw(answer[:cut])
        exchange.hang_up()

    cs = serve(respond)
    for cut in range(answer.rindex(b"0") + 1):  # noqa: B007 - read by the server
        with pytest.raises(errors.TransportError):
            cs.rest_client.delete().abs_path("/x").max_retries(0).do()


def test_a_watch_line_cut_in_the_middle(serve, caplog: pytest.LogCaptureFixture) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a"))
        exchange.chunk(event("b")[:30])
        exchange.end()

    watch = serve(respond).core_v1.pods("d").watch()

    with caplog.at_level(logging.WARNING):
        assert [one.object.metadata.name for one in watch] == ["a"]
    assert watch.ended is End.CUT
    assert "get pods: the stream was cut in the middle of event 2" in caplog.text
    assert len(caplog.records) == 1


def test_a_malformed_watch_line(serve) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a") + b'{"type":"ADDED","object":[}\n')
        exchange.wait_for_hang_up()

    watch = serve(respond).core_v1.pods("d").watch()
    started = time.monotonic()

    assert next(watch).object.metadata.name == "a"
    with pytest.raises(errors.DecodeError, match="get pods: unable to decode event 2"):
        next(watch)
    assert time.monotonic() - started < 10.0


def test_a_malformed_chunk_in_a_watch(serve) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a"))
        exchange.raw(b"nonsense\r\n")
        exchange.wait_for_hang_up()

    watch = serve(respond).core_v1.pods("d").watch()

    assert next(watch).object.metadata.name == "a"
    with pytest.raises(errors.DecodeError, match="malformed chunk: its size is"):
        next(watch)


def test_a_watch_that_is_refused(serve) -> None:
    body = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired"}
    cs = serve(lambda exchange: exchange.reply(410, {**body, "message": "too old resource version"}))

    with pytest.raises(errors.Expired, match="too old"):
        cs.core_v1.pods("d").watch(resource_version="1")


def test_an_object_without_a_name_is_not_sent(serve) -> None:
    cs = serve(lambda exchange: exchange.reply())

    with pytest.raises(ValueError, match="update pods: the object has no name"):
        cs.core_v1.pods("d").update(Pod(metadata=ObjectMeta(labels={"a": "b"})))
    with pytest.raises(ValueError, match="name must be provided"):
        cs.core_v1.pods("d").apply(Pod(), field_manager="me")


def test_an_unknown_context_and_a_missing_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("current-context: here\ncontexts: [{name: here, context: {cluster: c, user: u}}]\n")

    with pytest.raises(errors.ConfigError, match=r"context .there. does not exist .*here"):
        k8srt.connect(kubeconfig=str(file), context="there")
    with pytest.raises(errors.ConfigError, match="no such file"):
        k8srt.connect(kubeconfig=str(tmp_path / "missing"))
    with pytest.raises(errors.ConfigError, match=r"cluster .c. was not found"):
        k8srt.connect(kubeconfig=str(file))


def test_a_token_with_a_line_break_never_leaves() -> None:
    with pytest.raises(errors.ConfigError, match="line break") as caught:
        Clientset(Config(bearer_token="abc\r\nX-Evil: 1"))

    assert "Evil" not in str(caught.value)
