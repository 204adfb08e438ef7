"""A client of one server, below the level of kinds. Contract: REST-01 to REST-04, CLI-01."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urlsplit

from k8srt.apimachinery.schema import GroupVersion
from k8srt.errors import ConfigError
from k8srt.rest import paths
from k8srt.rest.config import Config
from k8srt.rest.connect import make_transport
from k8srt.rest.limits import make_limiter
from k8srt.rest.media import negotiate
from k8srt.rest.request import PATCH_TYPES, Request
from k8srt.rest.retry import backoff_from_environment
from k8srt.util.clock import SYSTEM, Clock


class RESTClient:
    """Makes requests to one server: `client.get().resource("pods").do()`.

    Without a group-version, requests name their whole path with `abs_path`. Clients for other group-versions of the
    same server come from `for_group_version` and share connections and rate limit. Making one opens no socket and
    starts no thread. Thread-safe, also across a fork.
    """

    def __init__(
        self, config: Config, group_version: str | GroupVersion | None = None, *, clock: Clock = SYSTEM
    ) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self.config = config.copy()
        self.clock = clock
        parts = urlsplit(self.config.base_url())
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.base_path = parts.path
        self.transport = make_transport(self.config, clock)
        self.rate_limiter = make_limiter(self.config, clock)
        self.backoff = backoff_from_environment(clock=clock)
        self.content_type, self.accept = negotiate(self.config)
        self._choose(group_version or self.config.group_version or None, self.config.api_path)

    def for_group_version(self, group_version: str | GroupVersion) -> Self:
        """A client for another group-version, over the same connections and rate limit."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._choose(group_version, "")  # the config's own api_path is that of its own group-version
        return other

    def _choose(self, group_version: str | GroupVersion | None, api_path: str) -> None:
        if isinstance(group_version, str):
            try:
                group_version = GroupVersion.parse(group_version)
            except ValueError as err:
                raise ConfigError(f"group_version: {err}") from err
        self.group_version = group_version or GroupVersion("", "")
        self.versioned_path = paths.versioned_path(api_path, self.group_version) if self.group_version.version else ""

    def verb(self, verb: str) -> Request:
        return Request(self, verb)

    def get(self) -> Request:
        return Request(self, "GET")

    def post(self) -> Request:
        return Request(self, "POST")

    def put(self) -> Request:
        return Request(self, "PUT")

    def delete(self) -> Request:
        return Request(self, "DELETE")

    def patch(self, patch_type: str) -> Request:
        """Start a patch: "json", "merge", "strategic", "apply", or a content type. Contract: REST-17, MACH-39."""
        return Request(self, "PATCH").header("Content-Type", PATCH_TYPES.get(patch_type, patch_type))

    def close(self) -> None:
        """Close the idle connections, of all clients that share them; later requests raise TransportError."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        version = f" {self.group_version}" if self.group_version.version else ""
        return f"<RESTClient {self.url}{self.base_path}{version}>"
