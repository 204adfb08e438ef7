"""What a running program is up to, as JSON over HTTP, and the stacks of its threads.

    /debug            the manager: controllers, queues, informers, workers with what they do and since when
    /debug/threads    the stacks of all threads
    /debug/queue      ready, waiting and running requests of each controller
    /debug/cache      what is cached, how much of it, and how fresh it is
    /debug/heap       who allocated the memory, if tracemalloc is on

Contract: MGR-21, THR-01, THR-08.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse
from k8srt.controller.serving.server import HTTPServer
from k8srt.util.stacks import stacks

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

_TOP = 50


def serve_debugging(server: HTTPServer, manager: Manager) -> None:
    """Have a server show what a manager is up to."""
    server.handle("/debug", lambda request: _json(manager.debug_state()))
    server.handle("/debug/", lambda request: _json(manager.debug_state()) if request.path == "/debug/" else _missing())
    server.handle("/debug/threads", lambda request: _threads())
    server.handle("/debug/queue", lambda request: _json(_queues(manager, request)))
    server.handle("/debug/cache", lambda request: _json(_cache(manager)))
    server.handle("/debug/heap", lambda request: _heap())


def _missing() -> HTTPResponse:
    return HTTPResponse(404, b"404 page not found\n", "text/plain; charset=utf-8")


def _json(value: Any) -> HTTPResponse:
    return HTTPResponse(200, json.dumps(value, indent=2, default=str).encode() + b"\n")


def _threads() -> HTTPResponse:
    lines = [f"thread {name}\n{stack}" for name, stack in stacks().items()]
    return HTTPResponse(200, "\n".join([*lines, ""]).encode(), "text/plain; charset=utf-8")


def _queues(manager: Manager, request: HTTPRequest) -> Mapping[str, Any]:
    wanted = request.parameter("controller")
    return {
        each.name: {"requests": each.queue_snapshot(), "workers": each.debug_state()["workers"]}
        for each in manager.controllers
        if wanted in ("", each.name)
    }


def _cache(manager: Manager) -> list[dict[str, Any]]:
    """What every informer is up to."""
    told = []
    for each in manager.cache.status():
        fields = each._asdict()
        info = fields.pop("info")
        told.append({"resource": str(info.gvr), **fields})
    return told


def _heap() -> HTTPResponse:
    if not tracemalloc.is_tracing():
        return _json({"tracing": False, "how": "start Python with -X tracemalloc, or call tracemalloc.start()"})
    found = tracemalloc.take_snapshot().statistics("lineno")[:_TOP]
    current, peak = tracemalloc.get_traced_memory()
    lines = [{"where": str(each.traceback), "bytes": each.size, "blocks": each.count} for each in found]
    return _json({"tracing": True, "current": current, "peak": peak, "top": lines})
