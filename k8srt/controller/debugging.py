"""What a running program is up to, as JSON over HTTP, and the stacks of its threads.

    /debug            the manager: controllers, queues, informers, workers with what they do and since when
    /debug/threads    the stacks of all threads
    /debug/queue      ready, waiting and running requests of each controller
    /debug/cache      what is cached, how much of it, and how fresh it is
    /debug/heap       who allocated the memory, if tracemalloc is on

Contract: MGR-21, THR-01, THR-08.
"""

from __future__ import annotations

import faulthandler
import json
import signal
import sys
import threading
import traceback
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from k8srt.controller.serving import HTTPServer
from k8srt.controller.webhook.messages import HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    from k8srt.controller.manager import Manager

_TOP = 50


class ThreadInfo(NamedTuple):
    """A thread of the library. `role` is what it does: reflector, processor, worker, elector, events, http …"""

    name: str
    role: str
    ident: int
    daemon: bool


def library_threads() -> list[ThreadInfo]:
    """The living threads of the library, by name. Contract: THR-01."""
    named = [each for each in threading.enumerate() if each.name.startswith("k8srt-") and each.ident is not None]
    return sorted(ThreadInfo(each.name, each.name.split("-")[1], each.ident or 0, each.daemon) for each in named)


def dump_threads(file: TextIO | None = None) -> None:
    """Write the stacks of all threads, to standard error by default. Contract: THR-08."""
    out = file if file is not None else sys.stderr
    for name, stack in stacks().items():
        out.write(f"thread {name}\n{stack}\n")
    out.flush()


@contextmanager
def dumping(number: int | None) -> Iterator[None]:
    """Within the context, a signal has all stacks written to standard error, even while the interpreter is held.

    None is SIGUSR1, if nobody else handles that. Only in the main thread. Contract: THR-08.
    """
    wanted = number if number is not None else getattr(signal, "SIGUSR1", None)
    free = wanted is not None and (number is not None or signal.getsignal(wanted) is signal.SIG_DFL)
    if wanted is None or not free or threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        faulthandler.register(wanted, all_threads=True)
    except (
        OSError,
        ValueError,
        AttributeError,
    ):  # standard error is no file, as in a notebook, or there are no signals
        yield
        return
    try:
        yield
    finally:
        faulthandler.unregister(wanted)


def stacks() -> dict[str, str]:
    """The stack of each thread, by name and number."""
    frames = sys._current_frames()
    threads = sorted(threading.enumerate(), key=lambda each: each.name)
    return {f"{each.name} ({each.ident})": stack_of(frames.get(each.ident or 0)) for each in threads}


def stack_of(frame: FrameType | None) -> str:
    """Where a thread is, the innermost call last."""
    return "".join(traceback.format_stack(frame)) if frame is not None else "  (no stack)\n"


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
        each.name: {key: value for key, value in each.debug_state().items() if key in ("active", "queue", "workers")}
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
