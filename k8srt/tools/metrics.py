"""What can be measured at a client, and who is told. Contract: CLI-59.

    class Told(ClientMetrics):
        def request_result(self, code, method, host): ...

    set_provider(Told())

The provider is set once for the whole program, before or after clients are made. What it does not override is not
measured. A method that fails is logged: requests go before their figures. Methods are called by many threads at once,
and hold up the request while they run.

Each method's conventional name for a Prometheus metric is the constant of the same name in capitals.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from k8srt.util.told import Told

REQUEST_LATENCY = "rest_client_request_duration_seconds"
RESOLVER_LATENCY = "rest_client_dns_resolution_duration_seconds"
REQUEST_SIZE = "rest_client_request_size_bytes"
RESPONSE_SIZE = "rest_client_response_size_bytes"
RATE_LIMITER_LATENCY = "rest_client_rate_limiter_duration_seconds"
REQUEST_RESULT = "rest_client_requests_total"
REQUEST_RETRY = "rest_client_request_retries_total"
CERT_EXPIRY = "rest_client_exec_plugin_ttl_seconds"
CERT_ROTATION_AGE = "rest_client_exec_plugin_certificate_rotation_age"
EXEC_PLUGIN_CALL = "rest_client_exec_plugin_call_total"
TRANSPORT_CACHE = "rest_client_transport_cache_entries"

NO_ANSWER = "<error>"
"""The code of a request that got no answer."""


class ClientMetrics:
    """Who is told. All methods do nothing here; override those that are wanted.

    `verb` and `method` are of HTTP (`GET`), `host` is the server's name and port, times are seconds, sizes bytes.
    """

    def request_latency(self, verb: str, host: str, seconds: float) -> None:
        """A request is over, with its waits, its retries and the reading of the answer. Only of whole answers."""

    def resolver_latency(self, host: str, seconds: float) -> None:
        """A name has been resolved."""

    def request_size(self, verb: str, host: str, size: int) -> None:
        """A body is sent."""

    def response_size(self, verb: str, host: str, size: int) -> None:
        """A whole body has been read."""

    def rate_limiter_latency(self, verb: str, host: str, seconds: float) -> None:
        """The client's own rate limit has been waited for."""

    def request_result(self, code: str, method: str, host: str) -> None:
        """An attempt was answered with `code`, or not at all: NO_ANSWER."""

    def request_retry(self, code: str, verb: str, host: str) -> None:
        """A request is tried again after an attempt that ended with `code`."""

    def cert_expiry(self, moment: datetime | None) -> None:
        """When the client certificate that expires first does; None if none does."""

    def cert_rotation_age(self, seconds: float) -> None:
        """A client certificate of this age is replaced."""

    def exec_plugin_call(self, exit_code: int, status: str) -> None:
        """A credential plugin ran: `no_error`, or what kind of error there was."""

    def transport_cache(self, entries: int) -> None:
        """How many sets of connections are kept for reuse."""


_told: Told[ClientMetrics] = Told()


def set_provider(provider: ClientMetrics) -> bool:
    """Have all clients report to `provider`. Only the first call counts; returns whether this was it."""
    return _told.set_once(provider)


def is_set() -> bool:
    """Whether anybody is told; without, nothing needs to be measured."""
    return _told.provider is not None


def report(method: str, *values: Any) -> None:
    """Call a method of the provider, if there is one. Never raises."""
    _told.report(method, *values)
