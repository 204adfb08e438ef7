"""Certificates that change under a running client: files that are replaced, programs that give new ones."""

from __future__ import annotations

import itertools
import json
import logging
import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError, TimeoutExpired, TLSFailed
from k8srt.rest import RESTClient, TLSConfig
from k8srt.testing import FakeClock
from k8srt.transport.client import Transport
from k8srt.transport.tls import FILES_PERIOD, ClientCertificate
from tests.integration.wire import Authority, Exchange, Pair, WireServer, event, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def whoami(exchange: Exchange) -> None:
    """The name in the client's certificate; a watch goes on until the client hangs up."""
    assert isinstance(exchange.sock, ssl.SSLSocket)
    peer: Any = exchange.sock.getpeercert() or {}
    name = dict(pair for part in peer["subject"] for pair in part)["commonName"]
    if "watch" in exchange.path:
        exchange.stream()
        exchange.chunk(event(name))
        exchange.wait_for_hang_up()
    else:
        exchange.reply(body={"user": name})


class Me:
    """A certificate and its key in files, and a client that shows them."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.authority = authority
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self.clock = FakeClock()

    def become(self, name: str) -> Pair:
        pair = self.authority.issue(common_name=name)
        self.write(self.certificate, pair.certificate)
        self.write(self.key, pair.key)
        return pair

    def write(self, path: Path, content: bytes) -> None:
        """Replace a file as whoever rotates certificates does: another file takes its name."""
        new = path.with_suffix(".new")
        new.write_bytes(content)
        os.replace(new, path)

    def tls(self, **more: Any) -> TLSConfig:
        return tls_config(self.authority, cert_file=str(self.certificate), key_file=str(self.key), **more)


@pytest.fixture
def me(authority: Authority, tmp_path: Path) -> Me:
    return Me(tmp_path, authority)


@pytest.fixture
def asking(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """A server that wants a certificate."""
    return authority.issue("127.0.0.1").server_context(tmp_path, client_ca=authority.certificate)


def user(client: RESTClient) -> str:
    answer: str = json.loads(client.get().abs_path("/whoami").do_raw())["user"]
    return answer


def test_rest_50_replaced_files_are_noticed_and_the_old_connection_is_not_used_again(
    me: Me, asking: ssl.SSLContext
) -> None:
    me.become("first")
    with WireServer(whoami, asking) as server, RESTClient(server.config(tls=me.tls()), clock=me.clock) as client:
        assert user(client) == "first"
        me.become("second")
        assert user(client) == "first"
        assert server.connections == 1

        me.clock.advance(FILES_PERIOD)
        assert [user(client) for _ in range(3)] == ["second"] * 3

        assert server.connections == 2
        server._threads[0].join(5.0)
        assert not server._threads[0].is_alive()  # the client hung up, though the connection was idle and well


def test_rest_50_files_that_are_touched_and_not_changed_cost_no_connection(me: Me, asking: ssl.SSLContext) -> None:
    me.become("first")
    with WireServer(whoami, asking) as server, RESTClient(server.config(tls=me.tls()), clock=me.clock) as client:
        user(client)
        for _ in range(3):
            me.write(me.certificate, me.certificate.read_bytes())
            me.clock.advance(FILES_PERIOD)
            user(client)

        assert server.connections == 1


def test_rest_50_what_is_under_way_ends_by_itself(me: Me, asking: ssl.SSLContext) -> None:
    me.become("first")
    with (
        WireServer(whoami, asking) as server,
        RESTClient(server.config(tls=me.tls()), "v1", clock=me.clock) as client,
        client.get().resource("pods").param("watch", "true").watch() as watch,
    ):
        next(watch)
        me.become("second")
        me.clock.advance(FILES_PERIOD)

        assert user(client) == "second"
        server.requests[0].chunk(event("still-here"))
        assert next(watch).record.name == "still-here"


def test_rest_50_half_replaced_or_missing_files_keep_the_last_good_certificate(
    me: Me, asking: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    me.become("first")
    with WireServer(whoami, asking) as server, RESTClient(server.config(tls=me.tls()), clock=me.clock) as client:
        assert user(client) == "first"
        second = me.authority.issue(common_name="second")
        with caplog.at_level(logging.WARNING, "k8srt"):
            for content in (second.certificate, b"garbage", b""):
                me.write(me.certificate, content)
                for _ in range(3):
                    me.clock.advance(FILES_PERIOD)
                    assert user(client) == "first"
            me.certificate.unlink()
            me.clock.advance(FILES_PERIOD)
            assert user(client) == "first"
        assert [record.levelname for record in caplog.records] == ["WARNING"] * len(caplog.records)
        assert 1 <= len(caplog.records) <= 4  # each failure is told once
        assert all("keeping the last good certificates" in record.message for record in caplog.records)

        me.write(me.certificate, second.certificate)
        me.write(me.key, second.key)
        me.clock.advance(FILES_PERIOD)
        assert user(client) == "second"


def test_rest_50_one_file_with_the_other_half_as_data_is_read_once(me: Me, asking: ssl.SSLContext) -> None:
    pair = me.become("first")
    tls = tls_config(me.authority, cert_data=pair.certificate, key_file=str(me.key))
    with WireServer(whoami, asking) as server, RESTClient(server.config(tls=tls), clock=me.clock) as client:
        assert user(client) == "first"
        me.key.write_bytes(b"garbage")
        me.clock.advance(FILES_PERIOD)

        assert user(client) == "first"
        assert server.connections == 1


def test_rest_50_a_replaced_ca_file_is_trusted_and_an_empty_one_changes_nothing(me: Me, tmp_path: Path) -> None:
    old, new = Authority(), Authority()
    ca = tmp_path / "ca.crt"
    me.write(ca, old.certificate)
    serving = {name: Authority.issue(name_of, "127.0.0.1") for name, name_of in (("old", old), ("new", new))}
    context = serving["old"].server_context(tmp_path)

    with (
        WireServer(lambda exchange: exchange.reply(), context) as server,
        RESTClient(server.config(tls=TLSConfig(ca_file=str(ca))), clock=me.clock) as client,
    ):
        client.get().abs_path("/").do()
        me.write(ca, b"\n")
        me.clock.advance(FILES_PERIOD)
        client.get().abs_path("/").do()
        assert server.connections == 1

        server._tls = serving["new"].server_context(tmp_path)
        client.transport.connections.close_idle()
        with pytest.raises(TLSFailed):
            client.get().abs_path("/").do()

        me.write(ca, new.certificate)
        me.clock.advance(FILES_PERIOD)
        client.get().abs_path("/").do()


def test_rest_59_a_new_certificate_of_a_program_makes_new_connections(
    authority: Authority, asking: ssl.SSLContext
) -> None:
    def certificate(name: str) -> ClientCertificate:
        return ClientCertificate(*authority.issue(common_name=name))

    now: list[ClientCertificate | None] = [certificate("first")]
    with WireServer(whoami, asking) as server:
        tls = tls_config(authority)
        transport = Transport(server.url, tls=tls, client_certificate=lambda *_: now[0])

        def user() -> bytes:
            return transport.send("GET", "/whoami").read()

        assert [user() for _ in range(3)] == [b'{"user": "first"}'] * 3
        now[0] = ClientCertificate(*now[0])  # type: ignore[misc]  # equal is not new
        user()
        assert server.connections == 1

        now[0] = certificate("second")
        assert [user() for _ in range(3)] == [b'{"user": "second"}'] * 3
        assert server.connections == 2

        now[0] = ClientCertificate(b"garbage", b"garbage")
        with pytest.raises(ConfigError):
            user()
        transport.close()


def test_rest_59_certificates_that_change_all_the_time_fail_no_request(
    authority: Authority, asking: ssl.SSLContext
) -> None:
    """Of many threads, each gets an answer for one of the certificates, whatever the others do with the connections."""
    certificates = [ClientCertificate(*authority.issue(common_name=f"me-{number}")) for number in range(3)]
    counter = itertools.count()
    users: list[bytes] = []
    failed: list[Exception] = []

    with WireServer(whoami, asking) as server:
        transport = Transport(
            server.url,
            tls=tls_config(authority),
            client_certificate=lambda *_: certificates[next(counter) // 7 % 3],
        )

        def work() -> None:
            try:
                for _ in range(20):
                    users.append(transport.send("POST", "/whoami", body=b"{}").read())
            except Exception as err:  # noqa: BLE001 - whatever it is, it should not be
                failed.append(err)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)
        transport.close()

    assert failed == []
    assert len(users) == 160
    assert set(users) == {b'{"user": "me-%d"}' % number for number in range(3)}


def test_what_a_source_of_certificates_raises_is_raised_as_it_is(authority: Authority) -> None:
    def late(*_: object) -> ClientCertificate:
        raise TimeoutExpired("the program took too long")

    transport = Transport("https://127.0.0.1:1", tls=tls_config(authority), client_certificate=late)

    with pytest.raises(TimeoutExpired, match=r"^the program took too long$"):
        transport.send("GET", "/")


def test_rest_05_a_certificate_shows_no_key() -> None:
    assert "KEY" not in repr(ClientCertificate(b"CERT", b"KEY"))
