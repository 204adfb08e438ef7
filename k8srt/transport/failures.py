"""From the many exceptions of urllib3, http.client, ssl and sockets to the few of k8srt.

Every failure becomes a `TransportError` that names the request and says in words what happened; the original
stays its cause, and `failure_of` tells retries and reflectors what kind it was.
"""

from __future__ import annotations

import enum
import http.client
import socket
from collections.abc import Iterator

import urllib3.exceptions as u3

from k8srt.errors import ConnectionRefused, HostNotFound, ProxyFailed, TimeoutExpired, TLSFailed, TransportError

CAUGHT = (u3.HTTPError, http.client.HTTPException, OSError)
"""What a request over urllib3 may raise because of the network."""


_DETAIL_AT_MOST = 300


class Failure(enum.Enum):
    """What kind of failure ended a request."""

    REFUSED = "connection refused"
    RESET = "connection reset by the server"
    EOF = "the server closed the connection before the end of its answer"
    TIMEOUT = "timed out"
    RESOLVE = "the host name cannot be resolved"
    TLS = "TLS failure"
    PROXY = "the proxy failed"
    PROTOCOL = "malformed HTTP"
    OTHER = "connection failed"


class NotConnected(Exception):
    """No connection could be made; the text says with whom and why. It passes urllib3 as it is."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


def _chain(err: BaseException | None) -> Iterator[BaseException]:
    """`err` and everything it was made from: causes, and exceptions kept among the arguments.

    Not contexts: they lead to whatever the caller was handling when it made the request.
    """
    seen: set[int] = set()
    todo = [err]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo.append(current.__cause__)
        todo += [arg for arg in current.args if isinstance(arg, BaseException)]


def failure_of(err: BaseException | None) -> Failure:
    """Classify an exception by itself and its causes. Never raises."""
    chain = list(_chain(err))
    for link in chain:
        if isinstance(link, NotConnected):
            return link.failure
    # ssl is looked up by name: whether it was ever loaded is not this function's business.
    names = {base.__name__ for link in chain for base in type(link).__mro__}
    if "SSLEOFError" in names:
        return Failure.EOF
    if "SSLError" in names:
        return Failure.TLS
    for kinds, failure in _KINDS:
        if any(isinstance(link, kinds) for link in chain):
            return failure
    return Failure.OTHER


_KINDS: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
    ((ConnectionRefusedError,), Failure.REFUSED),
    ((u3.NameResolutionError, socket.gaierror), Failure.RESOLVE),
    ((u3.TimeoutError, TimeoutError), Failure.TIMEOUT),
    ((http.client.RemoteDisconnected, http.client.IncompleteRead, u3.IncompleteRead, EOFError), Failure.EOF),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), Failure.RESET),
    ((http.client.HTTPException, u3.HTTPError, ValueError, OverflowError), Failure.PROTOCOL),
)


_CLASSES: dict[Failure, type[TransportError]] = {
    Failure.REFUSED: ConnectionRefused,
    Failure.RESOLVE: HostNotFound,
    Failure.TLS: TLSFailed,
    Failure.PROXY: ProxyFailed,
    Failure.TIMEOUT: TimeoutExpired,
}


def is_connection_lost(err: BaseException | None) -> bool:
    """Whether the peer went away while it was spoken to: a reset, or an end where none was due."""
    return failure_of(err) in (Failure.RESET, Failure.EOF)


def is_timeout(err: BaseException | None) -> bool:
    return failure_of(err) is Failure.TIMEOUT


def transport_error(err: BaseException, what: str, url: str) -> TransportError:
    """Return the error to raise for `err`, its cause; `what` says what was being done, for example "GET"."""
    failure = failure_of(err)
    kind = _CLASSES.get(failure, TransportError)
    text = str(err) if isinstance(err, NotConnected) else explain(err)
    made = kind(f"{what} {url}: {text}", url=url)
    made.__cause__ = err
    return made


def explain(err: BaseException) -> str:
    """What happened, in words, and what can be done about it where that is known."""
    failure = failure_of(err)
    return f"{failure.value}{_detail(err, failure)}{_advice(err, failure)}"


def _detail(err: BaseException, failure: Failure) -> str:
    """The words of the innermost cause, where they say more than the kind of failure does."""
    if failure in (Failure.REFUSED, Failure.EOF, Failure.RESET):
        return ""
    if failure is Failure.TIMEOUT:
        connecting = any(isinstance(link, u3.ConnectTimeoutError) for link in _chain(err))
        return " while connecting" if connecting else " waiting for the server"
    innermost = list(_chain(err))[-1]
    text = str(getattr(innermost, "verify_message", "") or innermost).strip()
    if not text.isprintable():  # what a server sent in the place of HTTP
        text = repr(text)
    return f": {text[:_DETAIL_AT_MOST]}" if text else ""


_UNTRUSTED = frozenset({7, 18, 19, 20, 21})  # the numbers are OpenSSL's
_OUTDATED = frozenset({9, 10})
_OTHER_NAME = frozenset({62, 64})


def _advice(err: BaseException, failure: Failure) -> str:
    if failure is not Failure.TLS:
        return ""
    advice = next(filter(None, map(_tls_advice, _chain(err))), "")
    return f" ({advice})" if advice else ""


def _tls_advice(err: BaseException) -> str:
    code = getattr(err, "verify_code", 0)
    if code in _UNTRUSTED:
        return "give the authority that signed the server's certificate: certificate-authority, or TLSConfig.ca_file"
    if code in _OUTDATED:
        return "the server needs a new certificate, unless this machine's clock is wrong"
    if code in _OTHER_NAME:
        return "use a name the certificate has, or say it: tls-server-name, or TLSConfig.server_name"
    reason = str(getattr(err, "reason", "") or "")
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH", "RECORD_LAYER")):
        return "does it speak TLS at this port, or is its address http://?"
    if "PROTOCOL" in reason:
        return "TLS 1.2 is the oldest that is spoken"
    if "ALERT" in reason:
        return "the server does not take the client certificate, or wants one and got none"
    return ""
