"""A transport of the caller's own: client-go's `rest.Config.Transport`.

`Config(transport=...)` takes anything with the `send` of `k8srt.transport.client.Transport`: one that answers from
memory, records, or breaks things on purpose. Headers and credentials of the config are put on before it is called.

Contract: REST-47.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Protocol

from k8srt.errors import ClientClosed
from k8srt.transport.client import Transport
from k8srt.transport.connections import Interrupt
from k8srt.transport.credentials import Authorizer
from k8srt.util.clock import SYSTEM, Clock


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


class Through(Transport):
    """Sends through another transport, with the headers and credentials of this client's own config."""

    def __init__(
        self,
        inner: RoundTripper,
        base_url: str,
        *,
        authorizer: Authorizer | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
        connect_timeout: float = 30.0,
        read_timeout: float = 75.0,
        clock: Clock = SYSTEM,
    ) -> None:
        super().__init__(
            base_url,
            authorizer=authorizer,
            headers=headers,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            clock=clock,
        )
        self._inner = inner

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        read_timeout: float | None = None,
        deadline: float | None = None,
        what: str = "",
        interrupt: Interrupt | None = None,
    ) -> Any:
        """As `Transport.send`."""
        if self._closed:
            raise ClientClosed(f"{self.base_url}: the client is closed", url=self.base_url)
        sent = self._complete(headers or {}, deadline, interrupt)
        asked_at = self._now()
        reply = self._inner.send(
            method,
            target,
            headers=sent,
            body=body,
            read_timeout=self.read_timeout if read_timeout is None else read_timeout,
            deadline=deadline,
            what=what or method,
            interrupt=interrupt,
        )
        if reply.status == 401 and self._authorizer is not None:
            self._authorizer.rejected(asked_at)
        return reply
