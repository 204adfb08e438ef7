"""Which proxy leads to a server, if any: the one rule for every request, watch and stream.

What the configuration names is used, always. Otherwise the environment decides, read as Go's programs do, kubectl
among them: `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of the server, and `NO_PROXY`, in capitals or, failing that, in
small letters. `ALL_PROXY` is not looked at. A machine's own loopback needs no proxy, unless the configuration says so.

Contract: REST-54, USR-36.
"""

from __future__ import annotations

import base64
import importlib.util
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from k8srt.errors import ConfigError
from k8srt.transport.headers import mask_url

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy: `scheme` is http, https (spoken to over TLS) or socks5. Immutable, hashable, never shows a password."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @property
    def is_socks(self) -> bool:
        return self.scheme == "socks5"

    @property
    def authorization(self) -> str:
        """The `Proxy-Authorization` header, "" without a user."""
        if not (self.username or self.password):
            return ""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")

    def __str__(self) -> str:
        user = f"{self.username}{':***' if self.password else ''}@" if self.username or self.password else ""
        return f"{self.scheme}://{user}{bracketed(self.host)}:{self.port}"

    def __repr__(self) -> str:
        return f"<Proxy {self}>"


def proxy_for(url: str, proxy_url: str = "", environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy that leads to the server at `url`, None when it is reached directly.

    `proxy_url` is what the configuration says. Raises ConfigError, naming where a proxy that cannot be used comes from.
    """
    if proxy_url:
        return _parse(proxy_url, "proxy_url")
    environ = os.environ if environ is None else environ
    parts = urlsplit(url)
    names = (f"{parts.scheme}_proxy".upper(), f"{parts.scheme}_proxy")
    name = next((each for each in names if environ.get(each)), "")
    if not name or exempt(parts, environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return None
    if name == "HTTP_PROXY" and environ.get("REQUEST_METHOD"):
        raise ConfigError("HTTP_PROXY: not used in a CGI program, where whoever asks could have set it")
    return _parse(environ[name], f"environment variable {name}")


def exempt(parts: SplitResult, no_proxy: str) -> bool:
    """Whether a list as `NO_PROXY` holds it, or loopback, says that a server is reached directly.

    Entries are `*`, addresses, CIDRs, and names that also stand for everything below them (with a leading `.` or `*.`
    only for that); addresses and names may have a port.
    """
    host, port = parts.hostname or "", str(parts.port or _PORTS.get(parts.scheme, 0))
    address = _address(host)
    if host == "localhost" or (address is not None and _plain(address).is_loopback):
        return True
    return any(_matches(entry.strip().lower(), host, port, address) for entry in no_proxy.split(","))


def _matches(entry: str, host: str, port: str, address: _Address | None) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    if "/" in entry:
        network = _network(entry)
        if network is not None:
            return address is not None and _plain(address) in network
    name, wanted = _host_and_port(entry)
    if not name:
        return False
    if wanted and wanted != port:
        return False
    if (literal := _address(name)) is not None:
        return address is not None and _plain(literal) == _plain(address)
    if address is not None:
        return False  # no name is the end of an address
    if name.startswith("*."):
        name = name[1:]
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _host_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _plain(address: _Address) -> _Address:
    """An IPv4 address that is written as IPv6 is the IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _parse(text: str, where: str) -> Proxy:
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(
            f"{where}: {mask_url(text)!r} is no proxy: an http, https or socks5 URL with a host is needed"
            " (odd characters in the user or password are written as %40 and the like)"
        )
    scheme = parts.scheme.removesuffix("h")  # the name of the server is always resolved by the proxy, as in Go
    found = Proxy(
        scheme,
        parts.hostname,
        port or _PORTS[scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )
    if found.is_socks and importlib.util.find_spec("socks") is None:
        raise ConfigError(f"{where}: {found}: SOCKS proxies need PySocks: pip install 'k8srt[socks]'")
    if any(ord(character) < 32 for character in found.username + found.password):
        raise ConfigError(f"{where}: {found.scheme}://{found.host}: the user or password holds a control character")
    return found


def bracketed(host: str) -> str:
    """The host as a URL has it."""
    return f"[{host}]" if ":" in host else host
