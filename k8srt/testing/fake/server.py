"""The server behind a fake: records what it is asked, asks the reactors, and leaves the rest to the real thing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from k8srt.errors import K8srtError, StatusError
from k8srt.testing.apiserver.dispatch import failed
from k8srt.testing.apiserver.failures import forbidden_field, invalid_options
from k8srt.testing.apiserver.faults import Faults
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.prepared import PreparedCluster
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo, request_info
from k8srt.testing.fake.actions import Action, Actions, action_of
from k8srt.testing.fake.answers import answered, refused
from k8srt.testing.fake.reactors import Chain, Reaction
from k8srt.testing.fake.served import Served
from k8srt.testing.fake.watcher import FakeWatcher
from k8srt.transport.failures import transport_error


class FakeServer:
    """Answers the requests of a fake. Thread-safe.

    The order is: record; the reactors that come before; the cluster; and for what the cluster does not serve, the
    reactors that come after. Watches have reactors of their own. Where there are any for watches or for lists, lists
    are not streamed.
    """

    def __init__(self, prepared: PreparedCluster) -> None:
        self._registry = prepared.cluster.registry
        self._storage = prepared.cluster.storage
        self.faults = Faults(prepared.cluster.clock)
        self._handle: Callable[[Request], Response] = self.faults.wrap(prepared.dispatcher.handle)
        self._lock = threading.Lock()  # guards the two lists
        self._actions = Actions()
        self._questions = Actions()
        self.before: Chain[Reaction] = Chain()
        self.after: Chain[Reaction] = Chain()
        self.watches: Chain[FakeWatcher | object] = Chain()
        self.watches_after: Chain[FakeWatcher | object] = Chain()
        self.served = Served()

    def actions(self) -> Actions:
        """What was asked about resources."""
        with self._lock:
            return Actions(self._actions)

    def questions(self) -> Actions:
        """What was asked about the server: discovery, version, health."""
        with self._lock:
            return Actions(self._questions)

    def clear(self) -> None:
        with self._lock:
            self._actions.clear()
            self._questions.clear()

    def handle(self, request: Request) -> Response:
        """Answer a request. Raises what a reactor raises that is no StatusError."""
        info = request_info(request)
        action = action_of(request, info)
        with self._lock:
            (self._actions if info.is_resource else self._questions).append(action)
        try:
            return self._answer(request, info, action)
        except StatusError as err:
            return refused(err)
        except K8srtError:
            raise
        except OSError as err:
            # Without its cause, for which a client would try again, and again: a test wants to see it now.
            raise transport_error(err, request.method, request.target) from None

    def _answer(self, request: Request, info: RequestInfo, action: Action) -> Response:
        resource = self._registry.find(info.group, info.version, info.resource)
        response = self._react(request, action, resource, last=False)
        if response is None and not info.is_resource:
            response = self.served.answer(request)
        if response is None and info.is_resource and not _is_served(resource, info):
            response = self._react(request, action, resource, last=True)
        return self._handle(request) if response is None else response

    def _react(self, request: Request, action: Action, resource: Resource | None, *, last: bool) -> Response | None:
        if action.verb != "watch":
            reaction = (self.after if last else self.before).ask(action)
            return None if reaction is None else answered(request, action, resource, reaction, self._storage.revision)
        chain = self.watches_after if last else self.watches
        if action.parameters.get("sendInitialEvents") == "true" and (chain.match(action) or self._lists(action)):
            # What reactors answer is lists and watches, not a watch that begins with a list: say what servers say that
            # have none, so that a reflector lists, and watches then. Contract: CLI-33.
            why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
            return failed(request, invalid_options("ListOptions", [forbidden_field("sendInitialEvents", why)]))
        watcher = chain.ask(action)
        if watcher is None:
            return None
        if not isinstance(watcher, FakeWatcher):
            raise TypeError(f"the watch reactor for {action} returned {watcher!r}; it may return a FakeWatcher or None")
        return Response(200, stream=watcher.open())

    def _lists(self, action: Action) -> bool:
        """Whether a reactor is to be asked about a list of what an action watches."""
        return bool(self.before.match(Action("list", action.resource, namespace=action.namespace)))


def _is_served(resource: Resource | None, info: RequestInfo) -> bool:
    if resource is None:
        return False
    if not info.subresource:
        return info.verb in resource.info.verbs
    found = resource.subresource(info.subresource)
    return found is not None and info.subresource not in ("exec", "attach", "portforward", "proxy", "log")
