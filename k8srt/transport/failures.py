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

from k8srt.errors import ConnectionRefused, TimeoutExpired, TransportError

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
    PROTOCOL = "malformed HTTP"
    OTHER = "connection failed"


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
    for kinds, failure in _KINDS:
        if any(isinstance(link, kinds) for link in chain):
            return failure
    # ssl is looked up by name: whether it was ever loaded is not this function's business.
    if any(base.__name__ == "SSLError" for link in chain for base in type(link).__mro__):
        return Failure.TLS
    return Failure.OTHER


_KINDS: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
    ((ConnectionRefusedError,), Failure.REFUSED),
    ((u3.NameResolutionError, socket.gaierror), Failure.RESOLVE),
    ((u3.SSLError,), Failure.TLS),
    ((u3.TimeoutError, TimeoutError), Failure.TIMEOUT),
    ((http.client.RemoteDisconnected, http.client.IncompleteRead, u3.IncompleteRead, EOFError), Failure.EOF),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), Failure.RESET),
    ((http.client.HTTPException, u3.HTTPError, ValueError, OverflowError), Failure.PROTOCOL),
)


_CLASSES: dict[Failure, type[TransportError]] = {Failure.REFUSED: ConnectionRefused, Failure.TIMEOUT: TimeoutExpired}


def is_connection_lost(err: BaseException | None) -> bool:
    """Whether the peer went away while it was spoken to: a reset, or an end where none was due."""
    return failure_of(err) in (Failure.RESET, Failure.EOF)


def is_timeout(err: BaseException | None) -> bool:
    return failure_of(err) is Failure.TIMEOUT


def transport_error(err: BaseException, what: str, url: str) -> TransportError:
    """Return the error to raise for `err`, its cause; `what` says what was being done, for example "GET"."""
    failure = failure_of(err)
    kind = _CLASSES.get(failure, TransportError)
    made = kind(f"{what} {url}: {failure.value}{_detail(err, failure)}", url=url)
    made.__cause__ = err
    return made


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
