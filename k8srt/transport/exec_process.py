"""Runs a program for its output: what it complains passes through, and it can be ended at any moment.

Standard output is kept, up to a limit. Standard error goes where the caller's goes: to the terminal itself if it is
one, else through `sys.stderr`, so that it shows in a notebook too, and the end of it is kept for the error message.

Contract: REST-56, REST-61, USR-12.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from k8srt.errors import CredentialsError, Stopped
from k8srt.util.threads import Stop

OUTPUT_AT_MOST = 1 << 20
_KEPT = 4096
_PIECE = 1 << 16


class Finished(NamedTuple):
    """What a program that ended gave: its exit code (negative: the signal), its output, the end of its complaints."""

    code: int
    output: bytes
    complaint: str


def is_terminal(descriptor: int) -> bool:
    """Whether a descriptor is open and a terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def run(command: Sequence[str], *, env: Mapping[str, str], stdin: bool, stop: Stop, limit: float) -> Finished:
    """Run a program to its end, at most `limit` seconds. It reads from standard input only if `stdin`.

    Raises OSError when it cannot be started, CredentialsError when it writes too much, Stopped when `stop` is set or
    the time is over; it is then killed, and with it what it started, unless a terminal keeps them together with us.
    """
    attached = any(is_terminal(descriptor) for descriptor in (0, 1, 2))
    watched = not is_terminal(2)
    process = subprocess.Popen(
        command,
        env=dict(env),
        stdin=None if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if watched else None,
        # In a group of its own it could not ask at the terminal, and Ctrl-C would not reach it.
        process_group=None if attached else 0,
    )
    streams = _Streams(process)

    def end() -> None:
        streams.wake()
        _kill(process, group=not attached)

    forget = stop.on_set(end)
    _running.add(end)
    try:
        streams.read(stop, limit)
        process.wait(limit)  # who closes its output ends soon; if not, `end` is called
    except subprocess.TimeoutExpired:
        end()
    except BaseException:
        end()
        raise
    finally:
        forget()
        _running.discard(end)
        streams.close()
        process.wait()
    if stop.is_set():
        raise Stopped("the program was ended")
    return Finished(process.returncode, bytes(streams.output), streams.complaint())


class _Running:
    """Programs that run. They end with the interpreter, which does not wait for the threads that wait for them."""

    def __init__(self) -> None:
        self._ends: dict[Callable[[], None], int] = {}  # with the process that they belong to
        self._registered = False

    def add(self, end: Callable[[], None]) -> None:
        if not self._registered:
            self._registered = True
            atexit.register(self._end_all)
        self._ends[end] = os.getpid()

    def discard(self, end: Callable[[], None]) -> None:
        self._ends.pop(end, None)

    def _end_all(self) -> None:
        for end, owner in list(self._ends.items()):
            if owner == os.getpid():
                end()


_running = _Running()


def _kill(process: subprocess.Popen[bytes], *, group: bool) -> None:
    with contextlib.suppress(OSError):
        if group and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()


class _Streams:
    """What a running program writes. Read by one thread; woken by any."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._stdout, self._stderr = process.stdout, process.stderr
        self._woken, self._waker = os.pipe()
        self._lock = threading.Lock()  # guards _waker: once closed, its number belongs to somebody else
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        if self._stderr is not None:
            os.set_blocking(self._stderr.fileno(), False)
            self._selector.register(self._stderr, selectors.EVENT_READ)
        self.output = bytearray()
        self._complaint = bytearray()

    def close(self) -> None:
        self._selector.close()
        self._stdout.close()
        if self._stderr is not None:
            self._stderr.close()
        os.close(self._woken)
        with self._lock:
            os.close(self._waker)
            self._waker = -1

    def wake(self) -> None:
        with self._lock:
            if self._waker >= 0:
                os.write(self._waker, b"x")

    def read(self, stop: Stop, limit: float) -> None:
        """Read until standard output is closed. Raises as `run`."""
        while not stop.is_set():
            ready = {key.fileobj for key, _ in self._selector.select(limit)}
            if not ready:
                break
            if self._stderr in ready:
                self._pass_on()
            if self._stdout in ready:
                data = os.read(self._stdout.fileno(), _PIECE)
                if not data:
                    self._pass_on()  # what else has come; somebody it left behind may hold the other end for ever
                    return
                self.output += data
                if len(self.output) > OUTPUT_AT_MOST:
                    raise CredentialsError(f"wrote more than {OUTPUT_AT_MOST} bytes")
        raise Stopped("the program was ended")

    def _pass_on(self) -> None:
        if self._stderr is None:
            return
        try:
            data = os.read(self._stderr.fileno(), _PIECE)
        except BlockingIOError:
            return
        if not data:
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._stderr)
            return
        self._complaint += data
        del self._complaint[:-_KEPT]
        with contextlib.suppress(Exception):  # there may be no stderr, or a closed one
            sys.stderr.write(data.decode("utf-8", "replace"))
            sys.stderr.flush()

    def complaint(self) -> str:
        return self._complaint.decode("utf-8", "replace").strip()
