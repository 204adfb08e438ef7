"""Requests over real sockets: connections, timeouts, compression, headers."""

from __future__ import annotations

import gzip
import logging
import os
import threading
import time
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.rest import Config, ImpersonationConfig, RESTClient
from k8srt.util.threads import Stop
from tests.integration.wire import Exchange, WireServer

pytestmark = pytest.mark.embedded

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}


def answer(exchange: Exchange) -> None:
    exchange.reply(body=POD)


def test_one_thread_needs_one_connection() -> None:
    with WireServer(answer) as server, RESTClient(server.config()) as client:
        for _ in range(50):
            client.get().abs_path("/x").do()
        for status in (404, 500):
            server._respond = lambda exchange, status=status: exchange.reply(status, b"no")
            with pytest.raises(errors.StatusError):
                client.get().abs_path("/x").do()

        assert server.connections == 1


def test_usr_15_as_many_connections_as_threads_and_watches_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """100 watches and 32 threads neither wait for each other nor churn connections nor warn."""
    release = threading.Event()

    def respond(exchange: Exchange) -> None:
        if "watch" in exchange.path:
            exchange.stream()
            release.wait(30.0)
            exchange.end()
        else:
            answer(exchange)

    with WireServer(respond) as server, RESTClient(server.config(), "v1") as client:
        with caplog.at_level(logging.WARNING):
            watches = [client.get().resource("pods").param("watch", "true").watch() for _ in range(100)]
            done: list[int] = []

            def work() -> None:
                for _ in range(10):
                    client.get().resource("pods").name("x").do()
                done.append(1)

            threads = [threading.Thread(target=work) for _ in range(32)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30.0)
            assert len(done) == 32
            assert server.connections <= 132
            release.set()
            for watch in watches:
                watch.close()
        assert caplog.records == []


def test_a_connection_the_server_closed_meanwhile_is_replaced_at_once() -> None:
    """No second is waited and no retry is spent: the request met a closed door and no failure."""
    first = True

    def respond(exchange: Exchange) -> None:
        nonlocal first
        answer(exchange)
        if first:
            first = False
            exchange.hang_up()

    with WireServer(respond) as server, RESTClient(server.config()) as client:
        client.get().abs_path("/x").max_retries(0).do()
        client.get().abs_path("/x").max_retries(0).do()

        assert server.connections == 2


def test_rest_23_a_get_whose_connection_is_reset_is_repeated() -> None:
    ways = iter([Exchange.reset, answer])

    with WireServer(lambda exchange: next(ways)(exchange)) as server, RESTClient(server.config()) as client:
        assert client.get().abs_path("/x").do().status_code == 200
        assert len(server.requests) == 2


def test_rest_44_gzip_is_asked_for_and_undone() -> None:
    big = b'{"kind":"Pod","apiVersion":"v1","status":{"message":"' + b"x" * 100_000 + b'"}}'

    def respond(exchange: Exchange) -> None:
        assert exchange.headers["accept-encoding"] == "gzip"
        exchange.reply(body=gzip.compress(big), Content_Encoding="gzip")

    with WireServer(respond) as server, RESTClient(server.config()) as client:
        assert client.get().abs_path("/x").do_raw() == big


def test_rest_52_headers_go_out_once_and_the_request_s_own_win(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("from-file\n")
    who = ImpersonationConfig("jane", uid="7", groups=["a", "b"], extra={"example.com/x": ["1", "2"]})

    with WireServer(answer) as server:
        config = server.config(bearer_token_file=str(token), user_agent="me/1", impersonate=who)
        with RESTClient(config) as client:
            client.get().abs_path("/x").do()
            client.get().abs_path("/x").header("authorization", "Mine x").header("User-Agent", "other").do()

        first, second = (request.headers for request in server.requests)
    assert first["authorization"] == "Bearer from-file"
    assert first["user-agent"] == "me/1"
    assert first["impersonate-user"] == "jane"
    assert first["impersonate-uid"] == "7"
    assert first["impersonate-group"] == "b"  # the last of two lines
    assert "impersonate-extra-example.com%2fx" in first
    assert second["authorization"] == "Mine x"
    assert second["user-agent"] == "other"


def test_rest_53_every_group_has_a_line_of_its_own() -> None:
    who = ImpersonationConfig("j", groups=["a", "b"])
    with WireServer(answer) as server, RESTClient(server.config(impersonate=who)) as client:
        client.get().abs_path("/x").do()
        lines = server.requests[0].header_lines

    assert [line for line in lines if "Group" in line] == ["Impersonate-Group: a", "Impersonate-Group: b"]


def test_nothing_of_the_environment_leaks_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))

    with WireServer(answer) as server, RESTClient(server.config()) as client:
        client.get().abs_path("/x").do()

        assert "authorization" not in server.requests[0].headers


def test_rest_15_the_timeout_bounds_a_body_that_trickles() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            exchange.raw(b"x")
            time.sleep(0.05)

    with WireServer(respond) as server, RESTClient(server.config()) as client:
        started = time.monotonic()
        with pytest.raises(errors.TimeoutExpired, match="timed out"):
            client.get().abs_path("/x").timeout(0.4).do()
        assert time.monotonic() - started < 10.0


def test_usr_16_a_silent_server_is_given_up_without_any_timeout_asked_for() -> None:
    with WireServer(lambda exchange: exchange.wait_for_hang_up()) as server:
        client = RESTClient(server.config(read_timeout=0.3))
        with pytest.raises(errors.TimeoutExpired, match=r"GET http://127.0.0.1:\d+/x: timed out waiting"):
            client.get().abs_path("/x").do()


def test_a_stop_ends_a_request_that_is_under_way(pool) -> None:
    asked = threading.Event()

    def respond(exchange: Exchange) -> None:
        asked.set()
        exchange.wait_for_hang_up()

    with WireServer(respond) as server, RESTClient(server.config()) as client:
        stop = Stop()
        running = pool.submit(client.get().abs_path("/x").do, stop)
        assert asked.wait(5.0)

        stop.set()

        with pytest.raises(errors.Stopped):
            running.result(timeout=5.0)


def test_rest_41_a_stream_is_read_as_it_comes() -> None:
    go_on = threading.Event()

    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(b"first\n")
        go_on.wait(5.0)
        exchange.chunk(b"second\n")
        exchange.end()

    with WireServer(respond) as server, RESTClient(server.config()).get().abs_path("/log").stream() as body:
        assert body.read() == b"first\n"
        go_on.set()
        assert b"".join(body) == b"second\n"


def test_rest_41_a_close_wakes_the_reader_of_a_stream(pool) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(b"first\n")
        exchange.wait_for_hang_up()

    with WireServer(respond) as server:
        body = RESTClient(server.config()).get().abs_path("/log").stream()
        assert body.read() == b"first\n"
        blocked = pool.submit(body.read)
        time.sleep(0.1)  # let it block; if it has not yet, the close must work all the same

        body.close()

        assert blocked.result(timeout=5.0) == b""
        assert body.read() == b""


def test_usr_14_a_thousand_clients_open_nothing() -> None:
    with WireServer(answer) as server:
        before = threading.active_count()
        clients = [RESTClient(server.config(), "v1") for _ in range(1000)]

        assert threading.active_count() == before
        assert server.connections == 0
        assert len(clients) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_usr_39_a_child_never_uses_the_sockets_of_its_parent() -> None:
    with WireServer(answer) as server, RESTClient(server.config()) as client:
        client.get().abs_path("/parent").do()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                client.get().abs_path("/child").do()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        client.get().abs_path("/parent").do()

        assert os.waitstatus_to_exitcode(status) == 0
        assert [request.path for request in server.requests] == ["/parent", "/child", "/parent"]
        assert server.connections == 2


def test_a_closed_client_says_so() -> None:
    with WireServer(answer) as server:
        client = RESTClient(server.config())
        client.get().abs_path("/x").do()
        client.close()
        client.close()

        with pytest.raises(errors.TransportError, match="closed"):
            client.get().abs_path("/x").do()


def test_no_log_shows_a_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with WireServer(answer) as server, RESTClient(server.config(bearer_token="hunter2")) as client:
        client.get().abs_path("/x").do()

    assert "hunter2" not in caplog.text
    assert "/x" in caplog.text


def test_rest_02_the_path_of_the_host_is_kept() -> None:
    with WireServer(answer) as server:
        with RESTClient(Config(host=f"{server.url}/proxy/", qps=-1), "v1") as client:
            client.get().resource("pods").do()
        assert server.requests[0].path == "/proxy/api/v1/pods"
