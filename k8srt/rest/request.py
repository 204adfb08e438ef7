"""One request, built by chaining and then executed.

    pods = (client.get().namespace("default").resource("pods")
            .options({"label_selector": "app=web"}).timeout(10).do().into(PodList))

A mistake in the building is kept and raised when the request is executed (REST-10); what was called after it had no
effect. A request is used by one thread, once.

Contract: REST-10 to REST-18, REST-20, REST-41.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from k8srt.apimachinery.model import Struct
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, encode_record
from k8srt.apimachinery.schema import GroupResource
from k8srt.apimachinery.wire import encode
from k8srt.apimachinery.wrong import find_wrong
from k8srt.rest import paths
from k8srt.rest.media import check_writable
from k8srt.rest.result import Result
from k8srt.rest.status import Target

if TYPE_CHECKING:
    from k8srt.rest.client import RESTClient
    from k8srt.rest.raw import Raw
    from k8srt.rest.warnings import WarningHandler
    from k8srt.rest.watch import WatchStream

PATCH_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""Short names of the patch types. Contract: MACH-39."""


class Request:
    """A request in the making; every method but the last returns it again."""

    def __init__(self, client: RESTClient, verb: str) -> None:
        self.client = client
        self.verb = verb
        self.error: Exception | None = None
        self.headers: dict[str, str] = {}
        self.parameters: dict[str, list[str]] = {}
        self.data: Any = None
        self.streaming_body = False
        self.timeout_seconds = client.config.timeout
        self.read_timeout: float | None = None  # seconds of silence that end a `stream`; None: the config's
        self.retry_limit: int | None = None
        self.warning_handler: WarningHandler | None = client.config.warning_handler
        self._prefix = paths.join(client.base_path, client.versioned_path)
        self._suffix = ""
        self._namespace: str | None = None
        self._resource = ""
        self._name = ""
        self._subresource = ""
        self._uri: str | None = None

    # ---- where ----------------------------------------------------------------------------------------------------

    def abs_path(self, *segments: str) -> Self:
        """Use this path instead of the versioned one; the path of the config's host stays in front."""
        if self.error is None:
            base = self.client.base_path
            self._prefix = paths.join(base or "/", *segments) or "/"
            single = len(segments) == 1 and segments[0].endswith("/") and (len(base) > 1 or len(segments[0]) > 1)
            if single and not self._prefix.endswith("/"):
                self._prefix += "/"
        return self

    def prefix(self, *segments: str) -> Self:
        """Add to the path before namespace and resource."""
        if self.error is None:
            self._prefix = paths.join(self._prefix, *segments)
        return self

    def suffix(self, *segments: str) -> Self:
        """Add to the path after everything else."""
        if self.error is None:
            self._suffix = paths.join(self._suffix, *segments)
        return self

    def namespace(self, namespace: str) -> Self:
        """Set the namespace; empty means all, where that is possible."""
        if self._namespace is not None:
            return self._fail(f"namespace already set to {self._namespace!r}, cannot change to {namespace!r}")
        if self.error is None and self._valid("namespace", namespace):
            self._namespace = namespace
        return self

    def resource(self, resource: str) -> Self:
        """Set the plural: "pods"."""
        return self._set_once("_resource", "resource", resource)

    def name(self, name: str) -> Self:
        """Set the name of the object. An empty one is an error."""
        if not name:
            return self._fail("resource name may not be empty")
        return self._set_once("_name", "resource name", name)

    def subresource(self, *parts: str) -> Self:
        """Set the subresource: "status", or several segments."""
        if self._subresource:
            return self._fail(f"subresource already set to {self._subresource!r}, cannot change to {parts!r}")
        if self.error is None and all(self._valid("subresource", part) for part in parts):
            self._subresource = paths.join(*parts)
        return self

    def request_uri(self, uri: str) -> Self:
        """Use this path and query instead of everything said so far."""
        if self.error is None:
            path, _, text = uri.partition("?")
            self._uri = paths.quoted(path if path.startswith("/") else f"/{path}") + (f"?{text}" if text else "")
        return self

    # ---- what -----------------------------------------------------------------------------------------------------

    def param(self, name: str, *values: str) -> Self:
        """Add values to a query parameter."""
        if self.error is None:
            self.parameters.setdefault(name, []).extend(values)
        return self

    def options(self, values: Mapping[str, Any]) -> Self:
        """Add query parameters from keyword options; zero values are left out."""
        for name, texts in paths.options(values).items():
            self.param(name, *texts)
        return self

    def header(self, name: str, value: str) -> Self:
        """Set a header; it wins over the client's own."""
        if self.error is None:
            self.headers[name] = value
        return self

    def timeout(self, seconds: float) -> Self:
        """Bound the whole call, and tell the server. Not for watches and streams. 0 means no bound."""
        if self.error is None:
            self.timeout_seconds = seconds
        return self

    def max_retries(self, limit: int) -> Self:
        """How often the request may be repeated; below zero means never. Contract: REST-24."""
        self.retry_limit = max(limit, 0)
        return self

    def on_warning(self, handler: WarningHandler) -> Self:
        """Hand warnings of this request's answer to `handler` instead of the client's."""
        self.warning_handler = handler
        return self

    def body(self, value: Any) -> Self:
        """Set the body: an object, struct, record or plain dict or list (sent as JSON), bytes as they are, the
        path of a file to send, or a readable stream, which is never sent twice. None means no body."""
        if self.error is not None or value is None:
            return self
        try:
            self.data, encoded = _body(value)
            if encoded and "Content-Type" not in self.headers:
                check_writable(self.client.content_type)
                self.headers["Content-Type"] = self.client.content_type
        except (OSError, ValueError) as err:
            return self._fail(f"body: {err}", err)
        except TypeError as err:
            places = "; ".join(wrong.describe() for wrong in find_wrong(Any, value) if wrong.steps)
            return self._fail(f"body: {places or err}", err)
        self.streaming_body = hasattr(self.data, "read")
        return self

    # ---- go -------------------------------------------------------------------------------------------------------

    def do(self, stop: threading.Event | None = None) -> Result:
        """Send it and return the answer.

        Raises StatusError for a failure the server reports, TransportError when no answer came, Stopped when `stop`
        was set meanwhile (a `util.threads.Stop` also ends a request that is under way), ValueError for a request
        that was built wrongly.
        """
        from k8srt.rest.execute import do

        return do(self, stop)

    def do_raw(self, stop: threading.Event | None = None) -> bytes:
        """Send it and return the body, undecoded. Raises as `do`."""
        return self.do(stop).raw()

    def stream(self, stop: threading.Event | None = None) -> Raw:
        """Send it and return the body as it comes; the caller closes it. Never retried on errors. Raises as `do`."""
        from k8srt.rest.execute import stream

        return stream(self, stop)

    def watch(self, stop: threading.Event | None = None, *, idle_timeout: float | None = None) -> WatchStream:
        """Send it and return a stream of watch events; the caller closes it, from any thread.

        `idle_timeout` (seconds; None: the config's) ends a stream that hears nothing. Raises as `do`.
        """
        from k8srt.rest.execute import watch

        return watch(self, stop, idle_timeout)

    # ---- for those who send it ------------------------------------------------------------------------------------

    def path(self) -> str:
        """The path so far, not yet quoted. Contract: REST-11."""
        path = self._prefix
        if self._namespace:
            path = paths.join(path, "namespaces", self._namespace)
        if self._resource:
            path = paths.join(path, self._resource.lower())
        if self._name or self._subresource or self._suffix:
            path = paths.join(path, self._name, self._subresource, self._suffix)
        return path or "/"

    def target(self) -> str:
        """Path and query as they go over the wire."""
        if self._uri is not None:
            return self._uri
        parameters = dict(self.parameters)
        if self.timeout_seconds:
            parameters["timeout"] = [paths.go_duration(self.timeout_seconds)]
        text = paths.query(parameters)
        return paths.quoted(self.path()) + (f"?{text}" if text else "")

    def about(self) -> Target:
        """What the request is about, for messages."""
        group, version = self.client.group_version
        resource = f"{self._resource}/{self._subresource}" if self._resource and self._subresource else self._resource
        return Target(self.verb, self.client.url + self.target(), GroupResource(group, resource), self._name, version)

    def check(self) -> None:
        """Raise what was wrong in the building. Contract: REST-10, REST-13."""
        if self.error is not None:
            raise self.error
        if self._namespace != "":
            return
        if self.verb == "POST":
            raise ValueError(f"{self.about()}: an empty namespace may not be set during creation")
        if self.verb in ("GET", "PUT", "DELETE") and self._name:
            raise ValueError(f"{self.about()}: an empty namespace may not be set when a resource name is provided")

    def _set_once(self, attribute: str, what: str, value: str) -> Self:
        old = getattr(self, attribute)
        if old:
            return self._fail(f"{what} already set to {old!r}, cannot change to {value!r}")
        if self.error is None and self._valid(what, value):
            setattr(self, attribute, value)
        return self

    def _valid(self, what: str, value: str) -> bool:
        problem = paths.check_segment(what, value)
        if problem:
            self._fail(problem)
        return problem is None

    def _fail(self, text: str, cause: Exception | None = None) -> Self:
        if self.error is None:
            self.error = ValueError(text)
            self.error.__cause__ = cause
        return self


def _body(value: Any) -> tuple[Any, bool]:
    """The bytes or stream to send, and whether it is encoded here."""
    if isinstance(value, str):
        with open(value, "rb") as file:
            return file.read(), False
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), False
    if isinstance(value, Object):
        return value.encode(), True
    if isinstance(value, Record):
        return encode_record(value), True
    if isinstance(value, (Struct, dict, list)):
        return encode(value), True
    if hasattr(value, "read"):
        return value, False
    raise TypeError(f"a {type(value).__name__} cannot be sent")
