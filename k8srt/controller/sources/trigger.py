"""A source that anybody may call over HTTP.

    def pushed(request: HTTPRequest) -> list[Request]:
        return [Request("shop", json.loads(request.body)["repository"])]

    Builder(mgr).for_(Foo).watches_raw_source(HTTPTrigger(mgr.webhook_server, "/pushed", pushed))

Contract: SRC-07.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from k8srt.controller.event import GenericEvent
from k8srt.controller.handler import EnqueueForObject, RequestQueue
from k8srt.controller.predicate import Where
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse, text
from k8srt.controller.source import Sifting
from k8srt.controller.sources.channel import as_object
from k8srt.errors import K8srtError
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.controller.webhook.server import WebhookServer

log = logging.getLogger(__name__)


class HTTPTrigger(Sifting):
    """Has what a POST to `path` is about looked at. `requests_of` says what that is: objects, requests or keys.

    It is called in a thread of the server. The answer is 202 with the number of requests; 400 with its text when
    `requests_of` raises ValueError or KeyError, 500 when it raises anything else, and 503 while the controller does not
    run, as where another process leads. Whoever may reach the server may call it: check what it says of itself.
    """

    def __init__(
        self,
        server: WebhookServer,
        path: str,
        requests_of: Callable[[HTTPRequest], Iterable[Any]],
        where: Where | Iterable[Where] = None,
    ) -> None:
        """Raises ValueError for a path that is no path, or taken."""
        super().__init__(EnqueueForObject(), where)
        self._path = path
        self._requests_of = requests_of
        self._queue: RequestQueue | None = None  # set and cleared as one; no more is asked of it
        server.register(path, self._answer)

    def start(self, queue: RequestQueue) -> None:
        """Take calls from now on."""
        self._queue = queue

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """Take no more calls."""
        self._queue = None

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        queue = self._queue
        if request.method != "POST":
            return HTTPResponse(405, headers={"Allow": "POST"})
        if queue is None:
            return text(503, "the controller does not run here at present")
        try:
            things = [as_object(thing) for thing in self._requests_of(request)]
        except (ValueError, KeyError) as err:
            return text(400, f"{type(err).__name__}: {err}")
        except Exception as err:
            log.exception("%r failed", self)
            return text(500, type(err).__name__)
        try:
            for thing in things:
                self.pass_on(GenericEvent(thing), queue)
        except K8srtError as err:
            return text(500, str(err))
        return text(202, f"{len(things)} requests")

    def __repr__(self) -> str:
        return f"<HTTPTrigger {self._path}>"
