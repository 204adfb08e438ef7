"""What the clients of one server have in common: connections, shared or their own."""

from __future__ import annotations

from typing import Self

from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.util.clock import SYSTEM, Clock


class Connected:
    """What sends by a `rest_client`. A context manager: leaving it closes."""

    rest_client: RESTClient

    def close(self) -> None:
        """Close the idle connections, of all that share them. Requests after that raise TransportError; a second close
        does nothing."""
        self.rest_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.rest_client.url}{self.rest_client.base_path}>"


class Shared(Connected):
    """One that can be made over the connections of another. Opens nothing when made."""

    def __init__(self, config: Config, *, clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self.rest_client = RESTClient(config, clock=clock)

    @classmethod
    def over(cls, rest_client: RESTClient) -> Self:
        """A client that shares connections and rate limit with another."""
        made = object.__new__(cls)
        made.rest_client = rest_client
        return made
