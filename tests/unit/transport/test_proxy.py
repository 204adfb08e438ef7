"""Which proxy leads to a server: what the configuration says, what the environment says, and what is exempt."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit

import pytest

from k8srt.errors import ConfigError
from k8srt.transport.proxy import Proxy, exempt, proxy_for

PROXY = {"HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://plain:8080"}


def test_rest_54_the_configuration_wins_also_for_loopback() -> None:
    environ = {**PROXY, "NO_PROXY": "*"}

    assert proxy_for("https://127.0.0.1:6443", "http://mine:1", environ) == Proxy("http", "mine", 1)


def test_rest_54_the_environment_decides_by_the_scheme_of_the_server() -> None:
    assert proxy_for("https://a.example", "", PROXY) == Proxy("http", "proxy", 3128)
    assert proxy_for("http://a.example", "", PROXY) == Proxy("http", "plain", 8080)
    assert proxy_for("http://a.example", "", {"HTTPS_PROXY": "http://x"}) is None
    assert proxy_for("https://a.example", "", {"ALL_PROXY": "http://x", "all_proxy": "http://x"}) is None


def test_rest_54_capitals_come_before_small_letters() -> None:
    both = {"https_proxy": "http://small", "HTTPS_PROXY": "http://big"}
    both |= {"no_proxy": "a.example", "NO_PROXY": "b.example"}

    found = proxy_for("https://a.example", "", both)

    assert found is not None
    assert found.host == "big"
    assert proxy_for("https://b.example", "", both) is None
    small = proxy_for("https://c.example", "", {"https_proxy": "http://small", "HTTPS_PROXY": ""})
    assert small is not None
    assert small.host == "small"


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("https://a.example", "", False),
        ("https://a.example", "*", True),
        ("https://a.example", "b.example, *", True),
        ("https://a.example", "a.example", True),
        ("https://A.Example", "a.EXAMPLE", True),
        ("https://a.example.", "a.example", False),
        ("https://x.a.example", "a.example", True),
        ("https://xa.example", "a.example", False),
        ("https://a.example", ".a.example", False),
        ("https://x.a.example", ".a.example", True),
        ("https://a.example", "*.a.example", False),
        ("https://x.a.example", "*.a.example", True),
        ("https://x.a.example", "*a.example", False),
        ("https://a.example:6443", "a.example:6443", True),
        ("https://a.example:6443", "a.example:443", False),
        ("https://a.example", "a.example:443", True),
        ("http://a.example", "a.example:80", True),
        ("https://x.a.example:6443", ".a.example:6443", True),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.1.2.3:443", False),
        ("https://10.1.2.3", "2.3", False),
        ("https://a.example.", "a.example.", True),
        ("https://[fd00::1]", "fd00::/8", True),
        ("https://[fd00::1]", "fd00::1", True),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", True),
        ("https://[fd00::1]:6443", "[fd00::1]:443", False),
        ("https://[fe80::1]", "fd00::/8", False),
        ("https://[::ffff:10.1.2.3]", "10.0.0.0/8", True),
        ("https://localhost:6443", "", True),
        ("https://127.0.0.1:6443", "", True),
        ("https://127.9.9.9", "", True),
        ("https://[::1]:6443", "", True),
        ("https://localhost.example", "", False),
        ("https://a.example", "10.0.0.0/99, a.example", True),
        ("https://a.example", ",,:80, ,a.example:443", True),
        ("https://a.example", "a.example/24", False),
    ],
)
def test_rest_54_what_no_proxy_says(url: str, no_proxy: str, direct: bool) -> None:
    assert exempt(urlsplit(url), no_proxy) is direct
    assert (proxy_for(url, "", {**PROXY, "NO_PROXY": no_proxy}) is None) is direct


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proxy", Proxy("http", "proxy", 80)),
        ("proxy:3128", Proxy("http", "proxy", 3128)),
        ("http://proxy/", Proxy("http", "proxy", 80)),
        ("https://proxy", Proxy("https", "proxy", 443)),
        ("http://me:p%40ss%2F@proxy:1", Proxy("http", "proxy", 1, "me", "p@ss/")),
        ("http://me@proxy", Proxy("http", "proxy", 80, "me")),
        ("http://[fd00::1]:3128", Proxy("http", "fd00::1", 3128)),
    ],
)
def test_how_a_proxy_is_written(text: str, expected: Proxy) -> None:
    assert proxy_for("https://x", text) == expected


def test_rest_54_socks_names_are_resolved_by_the_proxy_whichever_way_it_is_written() -> None:
    pytest.importorskip("socks")

    assert proxy_for("https://x", "socks5://u:p@s") == Proxy("socks5", "s", 1080, "u", "p")
    assert proxy_for("https://x", "socks5h://u:p@s") == Proxy("socks5", "s", 1080, "u", "p")


def test_without_pysocks_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"proxy_url: socks5://s:1080: .*pip install 'k8srt\[socks\]'"):
        proxy_for("https://x", "socks5://s")


@pytest.mark.parametrize(
    "text", ["ftp://proxy", "http://", "http://u:hunter2@", "http://u:hunter2/x@proxy", "http://u:hunter2@proxy:port"]
)
def test_rest_05_what_is_no_proxy_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(ConfigError, match="environment variable https_proxy") as caught:
        proxy_for("https://a.example", "", {"https_proxy": text})

    assert "hunter2" not in str(caught.value)


def test_a_password_cannot_break_out() -> None:
    with pytest.raises(ConfigError, match="control character"):
        proxy_for("https://x", "http://u:a%0d%0aX: y@proxy")


def test_rest_05_a_proxy_shows_no_password() -> None:
    proxy = Proxy("http", "proxy", 3128, "me", "hunter2")

    assert repr(proxy) == "<Proxy http://me:***@proxy:3128>"
    assert "hunter2" not in f"{proxy} {proxy!r}"
    assert proxy.authorization == "Basic bWU6aHVudGVyMg=="


def test_who_asks_a_cgi_program_cannot_choose_its_proxy() -> None:
    with pytest.raises(ConfigError, match="CGI"):
        proxy_for("http://a.example", "", {"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"})
