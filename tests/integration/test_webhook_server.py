"""The webhook server over HTTPS: certificates, limits, places, and its end."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from k8srt.controller import Manager
from k8srt.controller.serving import figures
from k8srt.controller.serving.listener import HTTPServer, ListenError
from k8srt.controller.serving.messages import DropConnection
from k8srt.controller.webhook import (
    AdmissionWebhook,
    HTTPRequest,
    HTTPResponse,
    TokenWebhook,
    WebhookServer,
    allowed,
    authenticated,
)
from k8srt.errors import AlreadyStarted, ConfigError, K8srtError, NotStarted
from k8srt.rest import Config
from k8srt.testing import FakeClock
from k8srt.util.threads import Stop
from tests.integration.wire import Authority, Pair

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography")

LONG = 20.0


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def put(folder: Path, pair: Pair) -> bytes:
    """Write a certificate where servers look for it; returns it as it goes over the wire."""
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    return ssl.PEM_cert_to_DER_cert(pair.certificate.decode())


class Running:
    """A webhook server in a thread of its own."""

    def __init__(self, server: WebhookServer) -> None:
        self.server = server
        self.stop = Stop()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="webhook-test", daemon=True)

    def _run(self) -> None:
        try:
            self.server.start(self.stop)
        except BaseException as err:  # noqa: BLE001 - the test looks at it
            self.error = err

    def __enter__(self) -> Running:
        self._thread.start()
        assert self.server.ready.wait(LONG)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        self._thread.join(LONG)
        assert not self._thread.is_alive()


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """A folder with a certificate for loopback."""
    put(tmp_path, authority.issue("127.0.0.1", "localhost"))
    return tmp_path


def trusting(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # less strict than Python's default, which wants key ids
    context.load_verify_locations(cadata=authority.certificate.decode())
    return context


def client(authority: Authority, folder: Path, certificate: Pair | None = None) -> urllib3.PoolManager:
    context = trusting(authority)
    if certificate is not None:
        file = folder / "client.pem"
        file.write_bytes(certificate.certificate + certificate.key)
        context.load_cert_chain(file)
    return urllib3.PoolManager(ssl_context=context, retries=False, timeout=LONG)


def post(pool: urllib3.PoolManager, server: WebhookServer, path: str, body: Any = b"{}") -> urllib3.BaseHTTPResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"https://127.0.0.1:{server.port}{path}"
    return pool.request("POST", url, body=data, headers={"Content-Type": "application/json"})


@contextlib.contextmanager
def connected(server: WebhookServer, authority: Authority) -> Iterator[ssl.SSLSocket]:
    context = trusting(authority)
    with (
        socket.create_connection(("127.0.0.1", server.port), LONG) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        yield secured


def shown(server: WebhookServer, authority: Authority) -> bytes | None:
    """The certificate a new connection sees."""
    with connected(server, authority) as sock:
        return sock.getpeercert(binary_form=True)


def echo(request: HTTPRequest) -> HTTPResponse:
    return HTTPResponse(200, request.body)


class Gate:
    """A handler that answers when it is let."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        self.entered.release()
        self.open.wait(LONG)
        return HTTPResponse(200, b"through")


# ---- WHS-01


def test_whs_01_mutual_tls_refuses_those_without_a_certificate(folder: Path, authority: Authority) -> None:
    (folder / "ca.crt").write_bytes(authority.certificate)
    seen: list[HTTPRequest] = []
    server = WebhookServer(port=0, host="127.0.0.1", cert_dir=folder, client_ca_name="ca.crt")

    def note(request: HTTPRequest) -> HTTPResponse:
        seen.append(request)
        return HTTPResponse()

    server.register("/a", note)
    with Running(server):
        with pytest.raises(urllib3.exceptions.HTTPError):
            post(client(authority, folder), server, "/a")
        with client(authority, folder, authority.issue(common_name="kube-apiserver")) as pool:
            assert post(pool, server, "/a").status == 200

    (request,) = seen
    assert request.certificate is not None
    assert request.certificate["subject"] == ((("commonName", "kube-apiserver"),),)


def test_whs_01_options_for_tls_are_the_callers(folder: Path, authority: Authority) -> None:
    def only_1_2(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    server = WebhookServer(port=0, cert_dir=folder, tls_options=only_1_2)
    with Running(server), connected(server, authority) as sock:
        assert sock.version() == "TLSv1.2"


def test_whs_01_a_negative_port_serves_nothing(tmp_path: Path) -> None:
    server = WebhookServer(port=-1, cert_dir=tmp_path)
    with Running(server) as running:
        server.started_checker()()
        assert repr(server) == "<WebhookServer disabled: nothing registered>"
    assert running.error is None


def test_whs_01_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port} cannot be listened on: .*in use"):
            WebhookServer(host="127.0.0.1", port=port, cert_dir=folder).start(Stop())


# ---- WHS-02


def test_whs_02_paths_may_come_while_it_serves(folder: Path, authority: Authority) -> None:
    server = WebhookServer(port=0, cert_dir=folder)
    with Running(server), client(authority, folder) as pool:
        assert post(pool, server, "/late").status == 404
        server.register("/late", echo)
        assert post(pool, server, "/late", b"hello").data == b"hello"
        with pytest.raises(AlreadyStarted):
            server.start(Stop())


# ---- WHS-03


def test_whs_03_a_certificate_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    server = WebhookServer(port=0, cert_dir=tmp_path)

    with pytest.raises(ConfigError) as caught:
        server.start(Stop())

    assert str(tmp_path / "tls.crt") in str(caught.value)
    assert str(tmp_path / "tls.key") in str(caught.value)
    assert not server.ready.is_set()


def test_whs_03_a_manager_ends_over_it(tmp_path: Path) -> None:
    manager = Manager(Config(host="http://127.0.0.1:1"), webhook_server=WebhookServer(port=0, cert_dir=tmp_path))
    manager.webhook_server.register("/a", echo)

    with pytest.raises(ConfigError, match=r"tls\.crt"):
        manager.run()


def test_whs_03_it_may_be_waited_for(tmp_path: Path, authority: Authority) -> None:
    clock = FakeClock()
    server = WebhookServer(port=0, cert_dir=tmp_path, wait_for_certs=60.0, clock=clock)
    running = Running(server)
    running._thread.start()
    clock.wait_for_sleepers(1)
    assert not server.ready.is_set()

    wanted = put(tmp_path, authority.issue("127.0.0.1"))
    clock.advance(1.0)

    assert server.ready.wait(LONG)
    assert shown(server, authority) == wanted
    running.__exit__()


def test_whs_03_it_is_not_waited_for_longer_and_not_past_the_end(tmp_path: Path) -> None:
    clock = FakeClock()
    late = Running(WebhookServer(port=0, cert_dir=tmp_path, wait_for_certs=2.0, clock=clock))
    late._thread.start()
    for _ in range(2):
        clock.wait_for_sleepers(1)
        clock.advance(1.0)
    late.join()
    assert isinstance(late.error, ConfigError)

    stopped = Running(WebhookServer(port=0, cert_dir=tmp_path, wait_for_certs=60.0, clock=clock))
    stopped._thread.start()
    clock.wait_for_sleepers(1)
    stopped.__exit__()
    assert stopped.error is None


# ---- WHS-04


def test_whs_04_a_new_certificate_is_for_new_connections(folder: Path, authority: Authority) -> None:
    clock = FakeClock()
    server = WebhookServer(port=0, cert_dir=folder, clock=clock)
    server.register("/a", echo)
    with Running(server), connected(server, authority) as old:
        before = old.getpeercert(binary_form=True)
        assert shown(server, authority) == before
        clock.wait_for_sleepers(1)

        wanted = put(folder, authority.issue("127.0.0.1"))
        clock.advance(10.0)
        clock.wait_for_sleepers(1)

        assert shown(server, authority) == wanted != before
        old.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
        assert old.recv(1000).endswith(b"hi")


# ---- WHS-05


def test_whs_05_requests_in_progress_are_waited_for(folder: Path, authority: Authority, pool: Any) -> None:
    gate = Gate()
    server = WebhookServer(port=0, cert_dir=folder)
    server.register("/slow", gate)
    running = Running(server)
    with running, connected(server, authority) as idle, client(authority, folder) as http:
        answer = pool.submit(post, http, server, "/slow")
        assert gate.entered.acquire(timeout=LONG)
        port = server.port
        running.stop.set()

        assert idle.recv(1) == b""  # what is idle is closed at once
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), LONG).close()
        gate.open.set()

        response = answer.result(timeout=LONG)
        assert response.data == b"through"
        assert response.headers["Connection"] == "close"


def test_whs_05_what_takes_too_long_is_cut_off(
    folder: Path, authority: Authority, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    server = WebhookServer(port=0, cert_dir=folder, grace=0.05)
    server.register("/slow", gate)
    with Running(server), client(authority, folder) as http:
        answer = pool.submit(post, http, server, "/slow")
        assert gate.entered.acquire(timeout=LONG)
    gate.open.set()

    assert isinstance(answer.exception(timeout=LONG), urllib3.exceptions.HTTPError)
    assert "1 requests did not end within 0.05s and were cut off" in caplog.text


# ---- WHS-06


@contextlib.contextmanager
def plain(**options: Any) -> Iterator[HTTPServer]:
    server = HTTPServer(echo, host="127.0.0.1", **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def said(server: HTTPServer, *pieces: bytes) -> bytes:
    """All that is answered until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), LONG) as sock:
        for piece in pieces:
            sock.sendall(piece)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while data := sock.recv(65536):
                found += data
        return found


def test_whs_06_the_usual_limits() -> None:
    with plain() as server:
        assert (server.max_head, server.idle, server.head) == (1 << 20, 90.0, 32.0)


def test_whs_06_headers_may_not_be_too_long() -> None:
    with plain(max_head=1000, idle=0.1) as server:
        assert said(server, b"GET / HTTP/1.1\r\nX: " + b"x" * 1100).startswith(b"HTTP/1.1 431 ")
        assert said(server, b"GET / HTTP/1.1\r\nX: " + b"x" * 900 + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_whs_06_headers_must_come_in_time_and_idle_connections_end() -> None:
    with plain(head=0.05) as server:
        assert said(server, b"GET / HTTP/1.1\r\n") == b""
    with plain(idle=0.05) as server:
        assert said(server) == b""


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"HTTP/1.1 413 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b""),
    ],
)
def test_whs_06_what_cannot_be_read_ends_the_connection(request_: bytes, answer: bytes) -> None:
    with plain(idle=0.1) as server, socket.create_connection(("127.0.0.1", server.port), LONG) as sock:
        sock.sendall(request_)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000)[: len(answer) or 1000] == answer


def test_whs_06_a_body_may_come_in_chunks_or_be_waited_for() -> None:
    with plain(idle=0.1) as server:
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n"
        assert said(server, chunked).endswith(b"\r\n\r\nabcde")
        waiting = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        assert said(server, waiting, b"hi").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_whs_06_of_a_body_that_is_too_long_a_byte_more_than_the_limit_is_kept() -> None:
    with plain(idle=0.1, limit_of=lambda path: 4) as server:
        assert said(server, b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n12345678").endswith(b"\r\n\r\n12345")
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n5\r\n45678\r\n0\r\n\r\n"
        assert said(server, chunked).endswith(b"\r\n\r\n12345")


def test_whs_06_requests_follow_one_another_on_a_connection() -> None:
    one = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
    with plain() as server:
        found = said(server, one + b"a" + one + b"b", b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert found.count(b"HTTP/1.1 200 OK") == 3
    assert found.index(b"\r\n\r\na") < found.index(b"\r\n\r\nb")


def test_whs_06_connections_beyond_the_limit_wait_for_others_to_go() -> None:
    with plain(max_connections=1) as server:
        first = socket.create_connection(("127.0.0.1", server.port), LONG)
        first.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert first.recv(1000).startswith(b"HTTP/1.1 200")
        with socket.create_connection(("127.0.0.1", server.port), LONG) as second:
            second.sendall(b"GET / HTTP/1.1\r\n\r\n")
            first.close()
            assert second.recv(1000).startswith(b"HTTP/1.1 200")


def test_whs_06_one_who_speaks_no_tls_does_no_harm(folder: Path, authority: Authority) -> None:
    server = WebhookServer(port=0, cert_dir=folder)
    server.register("/a", echo)
    with Running(server), client(authority, folder) as pool:
        with socket.create_connection(("127.0.0.1", server.port), LONG) as sock:
            sock.sendall(b"GET /a HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"200" not in sock.recv(1000)
        assert post(pool, server, "/a").status == 200


# ---- WHS-07


def test_whs_07_the_check_passes_while_it_serves(folder: Path) -> None:
    server = WebhookServer(port=0, cert_dir=folder)
    check = server.started_checker()
    with pytest.raises(NotStarted, match="has not been started yet"):
        check()

    with Running(server):
        check()
        check("a request, which some checks are given")

    with pytest.raises(K8srtError, match="not reachable"):
        check()


# ---- WHS-08


class Told(figures.WebhookFigures):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.said: list[tuple[Any, ...]] = []

    def _note(self, *what: Any) -> None:
        with self.lock:
            self.said.append(what)

    def served(self, path: str) -> None:
        self._note("served", path)

    def in_flight(self, path: str, change: int) -> None:
        self._note("in flight", path, change)

    def request(self, path: str, code: int, seconds: float) -> None:
        assert seconds >= 0.0
        self._note("request", path, code)


@pytest.fixture
def told() -> Iterator[Told]:
    provider = Told()
    before = figures.set_provider(provider)
    provider.said.clear()
    yield provider
    figures.set_provider(before)


def test_whs_08_mtr_03_each_path_is_measured(
    folder: Path, authority: Authority, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    server = WebhookServer(port=0, cert_dir=folder)

    def broken(request: HTTPRequest) -> HTTPResponse:
        raise SystemExit(3)

    server.register("/fine", echo)
    server.register("/broken", broken)
    with Running(server), client(authority, folder) as pool:
        assert post(pool, server, "/fine").status == 200
        assert post(pool, server, "/broken").status == 500
        assert post(pool, server, "/unknown").status == 404

    def flow(path: str, code: int) -> list[tuple[Any, ...]]:
        return [("in flight", path, 1), ("in flight", path, -1), ("request", path, code)]

    assert told.said == [("served", "/fine"), ("served", "/broken"), *flow("/fine", 200), *flow("/broken", 500)]
    assert "/broken: the handler failed" in caplog.text


def test_adm_03_a_handler_may_end_the_connection(folder: Path, authority: Authority, told: Told) -> None:
    server = WebhookServer(port=0, cert_dir=folder)

    def broken(request: HTTPRequest) -> HTTPResponse:
        raise DropConnection

    server.register("/broken", broken)
    server.register("/fine", echo)
    with Running(server), client(authority, folder) as pool:
        with pytest.raises(urllib3.exceptions.ProtocolError):
            post(pool, server, "/broken")
        assert post(pool, server, "/fine").status == 200
    assert ("request", "/broken", 500) in told.said


# ---- WHS-09


def test_whs_09_so_many_at_a_time_and_no_longer_waits_than_the_client_has(
    folder: Path, authority: Authority, pool: Any
) -> None:
    gate = Gate()
    server = WebhookServer(port=0, cert_dir=folder, threads=2)
    server.register("/slow", gate)
    with Running(server), client(authority, folder) as http:
        first = [pool.submit(post, http, server, "/slow?timeout=10s") for _ in range(2)]
        assert all(gate.entered.acquire(timeout=LONG) for _ in first)

        refused = post(http, server, "/slow?timeout=10ms")
        waits = pool.submit(post, http, server, "/slow?timeout=30s")
        gate.open.set()

        assert (refused.status, refused.data) == (503, b"too many requests in progress\n")
        assert [each.result(timeout=LONG).status for each in (*first, waits)] == [200] * 3


# ---- handlers over the wire


def test_adm_01_reviews_over_https(folder: Path, authority: Authority) -> None:
    server = WebhookServer(port=0, cert_dir=folder)
    server.register("/admit", AdmissionWebhook(lambda request: allowed()))
    review = {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {"uid": "u", "operation": "CONNECT"},
    }
    with Running(server), client(authority, folder) as pool:
        found = post(pool, server, "/admit", review)
        large = post(pool, server, "/admit", b" " * (8 << 20))

    assert found.json()["response"] == {"uid": "u", "allowed": True, "status": {"code": 200}}
    assert (large.status, large.json()["response"]["status"]["code"]) == (200, 413)


def test_adm_10_tokens_over_https(folder: Path, authority: Authority) -> None:
    server = WebhookServer(port=0, cert_dir=folder)
    server.register("/token", TokenWebhook(lambda question: authenticated("jane")))
    review = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "spec": {"token": "t"}}
    with Running(server), client(authority, folder) as pool:
        found = post(pool, server, "/token", review).json()

    assert found["status"] == {"authenticated": True, "user": {"username": "jane"}}
