"""Transports of the caller's own, and what is put around one: client-go's `Transport` and `WrapTransport`.

`Config(transport=...)` takes anything with the `send` of `k8srt.transport.client.Transport`: one that answers from
memory, records, or breaks things on purpose. Headers and credentials of the config are put on before it is called.

`Config(wrap_transport=...)` takes functions that are given a transport and return one:

    class Counting:
        def __init__(self, inner):
            self.inner, self.sent = inner, 0

        def send(self, method, target, **options):
            self.sent += 1
            return self.inner.send(method, target, **options)

    config.wrap(Counting)

What is sent has all headers, credentials among them. The first wrapper is the innermost.

Contract: REST-47, REST-52.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8srt.transport.connections import Interrupt


class Answer(Protocol):
    """What `send` returns; `k8srt.transport.reply.Reply` is one, and says what each of these is for."""

    status: int
    headers: Mapping[str, str]
    what: str
    url: str

    @property
    def chunked(self) -> bool: ...
    @property
    def is_tls(self) -> bool: ...
    def header_values(self, name: str) -> list[str]: ...
    def read(self, deadline: float | None = None) -> bytes: ...
    def read_some(self, size: int) -> bytes: ...
    def buffered(self) -> io.BufferedReader | None: ...
    def set_read_timeout(self, seconds: float | None) -> None: ...
    def release(self) -> None: ...
    def shutdown(self) -> None: ...
    def close(self) -> None: ...


class RoundTripper(Protocol):
    """What `Config.transport` may be. Used by many threads at once; never closed by the clients that use it."""

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: Any,
        read_timeout: float | None,
        deadline: float | None,
        what: str,
        interrupt: Interrupt | None,
    ) -> Answer:
        """As `Transport.send`, with every header there."""
        ...


Wrapper = Callable[[RoundTripper], RoundTripper]
"""Takes what sends and returns what does more: logs, counts, changes, answers by itself."""


def wrappers_of(value: Wrapper | Sequence[Wrapper] | None) -> tuple[Wrapper, ...]:
    """The wrappers of a configuration, the innermost first. Raises TypeError for what cannot be called."""
    if value is None:
        return ()
    found = (value,) if callable(value) else tuple(value)
    for each in found:
        if not callable(each):
            raise TypeError(f"wrap_transport: {each!r} cannot be called with a transport")
    return found
