"""What the threads of a program are at: which there are, and where each is.

Contract: THR-01, THR-08, THR-11.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NamedTuple, TextIO

log = logging.getLogger(__name__)


class ThreadInfo(NamedTuple):
    """A thread of the library. `role` is what it does: reflector, handler, worker, elector, events, http, timer …"""

    name: str
    role: str
    ident: int
    daemon: bool


def threads() -> list[ThreadInfo]:
    """The living threads of the library, by name. Contract: THR-01."""
    named = [each for each in threading.enumerate() if each.name.startswith("k8srt-") and each.ident is not None]
    return sorted(ThreadInfo(each.name, each.name.split("-")[1], each.ident or 0, each.daemon) for each in named)


def dump_threads(file: TextIO | None = None) -> None:
    """Write the stacks of all threads, to standard error by default. Contract: THR-08."""
    out = file if file is not None else sys.stderr
    for name, stack in stacks().items():
        out.write(f"thread {name}\n{stack}\n")
    out.flush()


def stacks() -> dict[str, str]:
    """The stack of each thread, by name and number; the innermost call last."""
    frames = sys._current_frames()
    everyone = sorted(threading.enumerate(), key=lambda each: each.name)
    return {f"{each.name} ({each.ident})": _stack(frames.get(each.ident or 0)) for each in everyone}


def _stack(frame: FrameType | None) -> str:
    return "".join(traceback.format_stack(frame)) if frame is not None else "  (no stack)\n"


@contextmanager
def dumping(number: int | None) -> Iterator[None]:
    """Within the context, a signal has all stacks written to standard error, as soon as the main thread gets to it.

    None is SIGUSR1, if nobody else handles that. Only in the main thread. Contract: THR-08.
    """
    wanted = number if number is not None else getattr(signal, "SIGUSR1", None)
    free = wanted is not None and (number is not None or signal.getsignal(wanted) is signal.SIG_DFL)
    if wanted is None or not free or threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        out = sys.stderr.fileno()
        before = signal.signal(wanted, _Writer(out))
    except (OSError, ValueError, AttributeError):  # standard error is no file, as in a notebook
        yield
        return
    # Not by faulthandler, which reads the stacks of threads that begin and end meanwhile, and crashes the process then.
    try:
        yield
    finally:
        signal.signal(wanted, before if before is not None else signal.SIG_DFL)


class _Writer:
    """A signal handler that writes all stacks past the buffers of a file, which the signal may have interrupted."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._writing = False  # the main thread's

    def __call__(self, *_: object) -> None:
        if self._writing:
            return  # a signal within a signal
        self._writing = True
        with suppress(Exception):  # nobody reads it any more, or this came in the middle of an import it needs
            text = "".join(f"thread {name}\n{stack}\n" for name, stack in stacks().items()).encode(errors="replace")
            while text:
                text = text[os.write(self._out, text) :]
        self._writing = False


class _Warned:
    """Whether it was said already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _said
        self._said = False

    def once(self, text: str) -> None:
        with self._lock:
            said, self._said = self._said, True
        if not said:
            log.warning(text)


_warned = _Warned()


def warn_if_patched() -> None:
    """Say once, if gevent or eventlet have replaced threads by something else. Contract: THR-11."""
    for name, ask in (("gevent.monkey", "is_module_patched"), ("eventlet.patcher", "is_monkey_patched")):
        module = sys.modules.get(name)
        patched = getattr(module, ask, None)
        if patched is not None and patched("threading" if name == "gevent.monkey" else "thread"):
            _warned.once(f"{name.partition('.')[0]} has patched threads: this library needs real ones")
