"""Small HTTP servers: addresses, paths, ends."""

from __future__ import annotations

import gc
import socket
import threading
import urllib.error
import urllib.request
import weakref

import pytest

from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse, text
from k8srt.controller.serving.server import HTTPServer, PathTaken, parse_address
from k8srt.errors import AlreadyStarted, ConfigError
from k8srt.util.threads import Stop


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (":8080", ("", 8080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:8443", ("::1", 8443)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses_are_a_host_and_a_port(address: str, expected: tuple[str, int]) -> None:
    assert parse_address("x", address) == expected


@pytest.mark.parametrize("address", ["8080", "host", "host:", "host:http", ":65536", ":-1"])
def test_mgr_01_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(ConfigError, match=r"the address of metrics: .* is no address"):
        HTTPServer("metrics", address)


@pytest.mark.parametrize("address", ["", "0"])
def test_msv_01_nothing_is_served_without_an_address(address: str) -> None:
    server, stop = HTTPServer("x", address), Stop()
    stop.set()

    server.bind()
    server.start(stop)

    assert server.disabled
    assert server.url == ""


def test_paths_are_taken_once_and_the_longest_folder_wins() -> None:
    server = HTTPServer("x", ":0")
    server.handle("/a/", lambda request: text(200, "a"))
    server.handle("/a/b/", lambda request: text(200, "b"))
    server.handle("/a/b/c", lambda request: text(200, "c"))

    def asked(path: str) -> bytes:
        return server._dispatch(HTTPRequest("GET", path)).body

    assert [asked("/a/x"), asked("/a/b/x"), asked("/a/b/c"), asked("/a")] == [
        b"a\n",
        b"b\n",
        b"c\n",
        b"404 page not found\n",
    ]
    with pytest.raises(PathTaken, match="/a/ is served already"):
        server.handle("/a/", lambda request: text(200, "again"))
    with pytest.raises(ValueError, match="begins with a slash"):
        server.handle("a", lambda request: text(200, ""))


def test_a_guard_refuses_before_the_handler_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    def guard(request: HTTPRequest) -> HTTPResponse | None:
        return text(403, "no") if "token" not in request.headers else None

    def broken(request: HTTPRequest) -> HTTPResponse:
        raise RuntimeError("password=hunter2")

    server = HTTPServer("x", ":0", guard=guard)
    server.handle("/a", broken)

    assert server._dispatch(HTTPRequest("GET", "/a")).code == 403
    answer = server._dispatch(HTTPRequest("GET", "/a", headers={"token": "t"}))
    assert (answer.code, answer.body) == (500, b"internal server error\n")
    assert "the handler of /a failed" in caplog.text


def test_msv_05_a_stop_leaves_time_to_what_is_in_progress() -> None:
    server, stop = HTTPServer("x", "127.0.0.1:0"), Stop()
    inside, let_go = threading.Event(), threading.Event()
    answers: list[bytes] = []

    def slow(request: HTTPRequest) -> HTTPResponse:
        inside.set()
        let_go.wait(20.0)
        return text(200, "done")

    server.handle("/slow", slow)
    serving = threading.Thread(target=server.start, args=(stop,))
    serving.start()
    assert server.ready.wait(20.0)
    url = server.url

    def ask() -> None:
        with urllib.request.urlopen(f"{url}/slow", timeout=20.0) as answer:
            answers.append(answer.read())

    asking = threading.Thread(target=ask)
    asking.start()
    assert inside.wait(20.0)
    stop.set()
    let_go.set()
    asking.join(20.0)
    serving.join(20.0)

    assert answers == [b"done\n"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/slow", timeout=20.0)
    with pytest.raises(AlreadyStarted):
        server.start(stop)


def test_mgr_01_one_that_was_bound_and_forgotten_leaves_its_address() -> None:
    server = HTTPServer("x", "127.0.0.1:0")
    server.bind()
    port, alive = int(server.url.rpartition(":")[2]), weakref.ref(server)

    del server
    gc.collect()

    assert alive() is None
    socket.create_server(("127.0.0.1", port)).close()
