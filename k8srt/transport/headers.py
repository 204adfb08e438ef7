"""What may go into a request header, and how a secret is shown. Contract: REST-05, REST-53."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from k8srt.errors import ConfigError

_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
_SECRET = re.compile("auth|cookie|token|secret|password|credential|api-?key|websocket-protocol", re.IGNORECASE)
_NAME = re.compile(rf"[{re.escape(''.join(_TOKEN))}]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
MASK = "--- REDACTED ---"


def check_header(name: str, value: str) -> None:
    """Refuse what would break out of a header: a line break or another control character, or a name that is no token.

    Raises ConfigError naming the header and never showing the value, which may be a secret.
    """
    if not _NAME.match(name):
        raise ConfigError(f"invalid header name {name!r}")
    if _VALUE.match(value):
        return
    if any(character in value for character in "\r\n\0"):
        raise ConfigError(f"header {name}: the value contains a line break or a NUL character")
    if any(ord(character) > 255 for character in value):
        raise ConfigError(f"header {name}: the value has characters that no header can carry")
    raise ConfigError(f"header {name}: the value contains a control character")


def escape_key(key: str) -> str:
    """Percent-escape what a header name cannot hold, and `%` itself, as `Impersonate-Extra-` needs it."""
    allowed = _TOKEN - {"%"}
    return "".join(chr(byte) if chr(byte) in allowed else f"%{byte:02X}" for byte in key.encode("utf-8"))


def mask_url(url: str) -> str:
    """The URL without the password in it, if it has one, also when it is no URL because of what is in the password."""
    found = _SCHEME.match(url)
    scheme = found[0] if found else ""
    user, at, host = url[len(scheme) :].rpartition("@")
    if not at:
        return url
    name, colon, _ = user.partition(":")
    return f"{scheme}{name}{colon}{'***' if colon else ''}@{host}"


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as a log may show them."""
    return {name: MASK if _SECRET.search(name) else value for name, value in headers.items()}
