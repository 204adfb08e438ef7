"""Nothing that is logged, printed or raised holds a secret, at any level, whatever goes wrong."""

from __future__ import annotations

import base64
import http.client
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import K8srtError
from k8srt.rest import Config, ImpersonationConfig, RESTClient, TLSConfig
from k8srt.transport.tls import ClientCertificate
from tests.integration.proxies import HTTPProxy, SocksProxy
from tests.integration.wire import Authority, Exchange, WireServer, event, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")

TOKEN, FILE_TOKEN, PASSWORD, PROXY_PASSWORD, OWN = (
    "tok3n-hunter2",
    "file-hunter2",
    "pass-hunter2",
    "prox-hunter2",
    "own-h2",
)
"""Every secret that the configurations below hold."""


def base64ed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def forbidden(key: bytes) -> list[str]:
    lines = [line for line in key.decode().splitlines() if line and "-----" not in line]
    plain = [TOKEN, FILE_TOKEN, PASSWORD, PROXY_PASSWORD, OWN]
    return [*plain, *map(base64ed, plain), base64ed(f"me:{PASSWORD}"), base64ed(f"me:{PROXY_PASSWORD}"), *lines[1:3]]


def respond(exchange: Exchange) -> None:
    if "watch" in exchange.path:
        exchange.stream()
        exchange.chunk(event("p1"))
        exchange.end()
    elif "reset" in exchange.path:
        exchange.reset()
    elif "garbage" in exchange.path:
        exchange.raw(b"SSH-2.0\r\n")
        exchange.hang_up()
    else:
        status = int(exchange.path.rpartition("/")[2] or 200)
        exchange.reply(status, b"no" if status >= 400 else b"{}")


class Everything:
    """All that a user or a log could see."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def of(self, *things: object) -> None:
        self.texts += [text for thing in things for text in (repr(thing), str(thing))]

    def during(self, work: Callable[[], object]) -> None:
        """What is raised, with all its causes, and what they hold."""
        try:
            self.of(work())
        except K8srtError as err:
            self.texts.append("".join(traceback.format_exception(err)))
            link: BaseException | None = err
            while link is not None:
                self.of(link, link.args, vars(link))
                link = link.__cause__ or link.__context__


def use(config: Config, seen: Everything) -> None:
    """Everything a client can meet."""
    seen.of(config, config.tls, config.copy(), config.anonymous(), config.impersonating("boss"))
    client = RESTClient(config, "v1")
    seen.of(client, client.transport, client.transport.connections, vars(client.transport))
    for path in ("/200", "/401", "/404", "/500", "/reset", "/garbage"):
        request = client.get().abs_path(path).header("X-Auth-Token", OWN).max_retries(0)
        seen.during(request.do)
        seen.of(request)
    seen.during(lambda: client.post().abs_path("/200").body(b"{}").timeout(5.0).do())
    seen.during(lambda: list(client.get().resource("pods").param("watch", "true").watch()))
    seen.during(lambda: client.get().abs_path("/200").header("X-Token", f"{OWN}\r\nX: y").do())
    pool = client.transport.connections
    if pool is not None:
        seen.of(*pool._processes.values(), *(mine._kept for mine in pool._processes.values()))
    client.close()
    seen.during(lambda: client.get().abs_path("/200").do())


def test_rest_05_no_secret_in_any_log_error_or_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every way of authenticating, over every kind of way, with all loggers at DEBUG and http.client told to print."""
    pytest.importorskip("socks")
    authority, me, seen = Authority(), Authority(), Everything()
    pair = authority.issue(common_name="me")
    token_file = tmp_path / "token"
    token_file.write_text(FILE_TOKEN)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    context = authority.issue("127.0.0.1").server_context(tmp_path)
    mine = tls_config(authority, cert_data=pair.certificate, key_data=pair.key)
    users: list[dict[str, Any]] = [
        {"bearer_token": TOKEN, "impersonate": ImpersonationConfig("jane", groups=["a"])},
        {"bearer_token_file": str(token_file), "bearer_token": TOKEN},
        {"username": "me", "password": PASSWORD},
        {"bearer_token": TOKEN, "tls": mine},
    ]

    with (
        caplog.at_level(logging.DEBUG),
        WireServer(respond) as plain,
        WireServer(respond, context) as secure,
        HTTPProxy(user="me", password=PROXY_PASSWORD) as proxy,
        SocksProxy(user="me", password=PROXY_PASSWORD) as socks,
        HTTPProxy(user="me", password="another") as strict,
        HTTPProxy(answer=f"403 {PROXY_PASSWORD[:4]}") as unfriendly,
    ):
        for server in (plain, secure):
            tls: dict[str, TLSConfig] = {"tls": tls_config(authority)} if server is secure else {}
            for user in users:
                use(server.config(**{**tls, **user}), seen)
            wrong = f"http://me:{PROXY_PASSWORD}@127.0.0.1:{strict.port}"
            nobody = f"http://me:{PROXY_PASSWORD}@127.0.0.1:1"
            for url in (proxy.url, socks.url, wrong, nobody, wrong.replace(str(strict.port), str(unfriendly.port))):
                use(server.config(**tls, bearer_token=TOKEN, proxy_url=url), seen)
        use(secure.config(bearer_token=TOKEN, tls=tls_config(me)), seen)
    for bad in (f"ftp://me:{PROXY_PASSWORD}@x", f"http://me:{PROXY_PASSWORD}/x@y", f"http://me:{PROXY_PASSWORD}@x:y"):
        seen.during(lambda bad=bad: RESTClient(Config(host="https://x", proxy_url=bad)))
        seen.of(Config(host="https://x", proxy_url=bad))
    seen.during(lambda: RESTClient(Config(host=f"https://me:{PASSWORD}@x")))
    seen.during(lambda: RESTClient(Config(bearer_token=f"{TOKEN}\n")))
    seen.of(ClientCertificate(pair.certificate, pair.key))

    printed = capfd.readouterr()
    loggers = {record.name.partition(".")[0] for record in caplog.records}
    everything = "\n".join([*seen.texts, caplog.text, printed.out, printed.err])
    assert {"k8srt", "urllib3"} <= loggers  # both had their say
    assert len(caplog.records) > 200
    assert "REDACTED" in caplog.text
    for secret in forbidden(pair.key):
        assert len(secret) > 5
        where = everything.find(secret)
        assert where < 0, f"…{everything[max(where - 300, 0) : where + 60]}…"


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX-Injected: yes", "a\0b", "a\x1bb", "a\x7fb"])
def test_a_header_that_would_break_out_is_refused_before_anything_is_sent(value: str) -> None:
    with WireServer(respond) as server, RESTClient(server.config()) as client:
        for request in (
            client.get().abs_path("/200").header("X-Own", value),
            client.get().abs_path("/200").header("X\nOwn", "x"),
            client.get().abs_path("/200").header("Accept", value),
        ):
            with pytest.raises(K8srtError, match="header"):
                request.do()
        assert server.connections == 0
