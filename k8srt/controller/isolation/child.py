"""One process that reconciles, as the controller sees it.

It is started as a program of its own, never forked, since this process has threads. It leads a process group, so that
what it has started ends with it. It talks over a socket; the other end of a pipe tells it that this process is there.

    booting ──Ready──▶ idle ◀──Answer / Task──▶ busy        and from everywhere ──▶ dead

Contract: THR-06.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.spawn import get_executable
from typing import Any

from k8srt.controller.context import Context, ReconcileTimeout, StopRequested
from k8srt.controller.isolation import logs
from k8srt.controller.isolation.failures import Packed, ProcessDied, packed, unpacked
from k8srt.controller.isolation.messages import (
    Answer,
    Ask,
    Begin,
    Event,
    Failed,
    Halt,
    Leave,
    Logged,
    Ready,
    Task,
)
from k8srt.controller.reconciling.deadlines import Deadlines
from k8srt.controller.request import Result
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that a reconcile has to end once it is told to; then its process is killed."""

_LEAVING = 2.0  # seconds that a process has to end by itself when nothing more is to come

_CODE = """\
import sys
sys.path[:] = {path!r}
from k8srt.controller.isolation.worker import main
main({talk}, {life})
"""

Launch = Callable[[int, int], "subprocess.Popen[bytes]"]


def launch(talk: int, life: int) -> subprocess.Popen[bytes]:
    """Start a process that is given these two descriptors."""
    code = _CODE.format(path=sys.path, talk=talk, life=life)
    executable = get_executable()
    command = [os.fsdecode(executable) if executable else sys.executable]
    command += [*subprocess._args_from_interpreter_flags(), "-c", code]  # type: ignore[attr-defined]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(talk, life), process_group=0)


class Child:
    """See the module. Thread-safe; one task at a time."""

    def __init__(self, name: str, begin: Begin, deadlines: Deadlines, clock: Clock, start: Launch = launch) -> None:
        """Starts the process, and a thread that listens to it. Raises OSError."""
        self._name = name
        self._clock = clock
        self._deadlines = deadlines
        self._numbers = itertools.count(1)
        self._connection, theirs = Pipe()
        life, self._life = os.pipe()
        try:
            self._process = start(theirs.fileno(), life)
        except BaseException:
            self._connection.close()
            os.close(self._life)
            raise
        finally:
            theirs.close()
            os.close(life)
        self._sending = threading.Lock()  # guards what is sent, a message at a time
        self._cond = threading.Condition()  # guards all below
        self._ready = False
        self._dead = False
        self._reaped = False
        self._leaving = False
        self._boot_failure: Packed | None = None
        self._number = 0  # of the task in hand, 0 for none
        self._ctx: Context[Any] | None = None
        self._answer: Answer | None = None
        with contextlib.suppress(OSError):  # it is dead already, as will be seen
            self._send(begin)
        self._listener = spawn(f"isolated-{name}", self._listen)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def dead(self) -> bool:
        """Whether it takes no tasks any more."""
        with self._cond:
            return self._dead

    # ---- one reconcile --------------------------------------------------------------------------------------------

    def wait_ready(self, stop: Stop) -> bool:
        """Wait until it takes tasks; returns whether it does, False if `stop` is set before that. Raises what keeps it
        from starting, or ProcessDied."""
        forget = stop.on_set(self._wake)
        try:
            with self._cond:
                while not (self._ready or self._dead or stop.is_set()):
                    self._clock.wait(self._cond, None)
                ready, dead, failure = self._ready, self._dead, self._boot_failure
        finally:
            forget()
        if not dead:
            return ready
        if failure is not None:
            err = unpacked(failure)
            err.add_note(f'controller {self._name}: run_in="process": no process could be started')
            raise err
        code = self._process.returncode
        raise ProcessDied(f"controller {self._name}: a process has ended: {_ending(code)}", code)

    def _wake(self) -> None:
        with self._cond:
            self._cond.notify_all()

    def run(self, task_of: Callable[[int], Task], ctx: Context[Any]) -> Result | None:
        """Have a reconcile done, and wait for it. Raises what it raises; ReconcileTimeout or StopRequested when it was
        killed because it did not end, ProcessDied when it took its process with it, TypeError for a request that
        cannot be sent."""
        number = next(self._numbers)
        message = _pickled(task_of(number))
        self._take_up(number, ctx)
        with contextlib.suppress(OSError):  # it is dead, as will be seen
            self._send_bytes(message)
        forget_kill: list[Callable[[], None]] = []

        def told_to_end() -> None:
            with contextlib.suppress(OSError):
                self._send(Halt(number, ctx.stop.timed_out))
            forget_kill.append(self._deadlines.at(self._clock.now() + GRACE, lambda: self._kill_late(number)))

        forget = ctx.stop.on_set(told_to_end)
        try:
            with self._cond:
                while self._answer is None and not self._dead:
                    self._clock.wait(self._cond, None)
                answer = self._answer
        finally:
            forget()
            self._take_up(0, None)
            for each in forget_kill:
                each()
        if answer is None:
            raise self._died(ctx)
        if answer.failure is not None:
            raise unpacked(answer.failure)
        return answer.result

    def _take_up(self, number: int, ctx: Context[Any] | None) -> None:
        with self._cond:
            self._number, self._ctx, self._answer = number, ctx, None

    def _kill_late(self, number: int) -> None:
        with self._cond:
            late = self._number == number and self._answer is None
            if late:
                self._kill_locked()
        if late:
            log.warning("controller %s: the process %d is killed, it did not end when told to", self._name, self.pid)

    def _died(self, ctx: Context[Any]) -> Exception:
        """What to raise when there is no answer."""
        about = f"{ctx.controller} {ctx.request}"
        if ctx.stop.timed_out:
            return ReconcileTimeout(f"{about}: the time of the reconcile is over, and its process was killed")
        if ctx.stop.is_set():
            return StopRequested(f"{about}: stopping, and its process was killed")
        code = self._process.returncode
        return ProcessDied(f"{about}: the process of the reconcile has ended: {_ending(code)}", code)

    # ---- listening ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            while True:
                self._hear(pickle.loads(self._connection.recv_bytes()))
        except (EOFError, OSError):
            pass
        except Exception:
            log.exception("controller %s: what the process %d says cannot be read", self._name, self.pid)
        finally:
            self._bury()

    def _hear(self, message: object) -> None:
        match message:
            case Logged():
                logs.replay(message.attributes)
            case Ask():
                self._send(Leave(message.number, self._refusal()))
            case Event():
                with self._cond:
                    ctx = self._ctx
                if ctx is not None and ctx.recorder is not None:
                    getattr(ctx.recorder, message.method)(*message.args, **message.options)
            case Ready():
                with self._cond:
                    self._ready = True
                    self._cond.notify_all()
            case Failed():
                with self._cond:
                    self._boot_failure = message.failure
            case Answer():
                with self._cond:
                    self._answer = message
                    self._cond.notify_all()

    def _refusal(self) -> Packed | None:
        """Why nothing may be written now."""
        with self._cond:
            ctx = self._ctx
        if ctx is None:
            return packed(StopRequested(f"controller {self._name}: the reconcile has ended"))
        try:
            ctx.client.check_may_write()
        except Exception as err:  # noqa: BLE001 - it is for the one who asks
            return packed(err)
        return None

    def _bury(self) -> None:
        """Its connection is closed: what is left of it ends, too."""
        with self._cond:
            leaving = self._leaving
        if leaving:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LEAVING)
        with self._cond:
            self._kill_locked(reaped=True)
        code = self._process.wait()
        self._connection.close()
        os.close(self._life)
        with self._cond:
            self._dead = True
            unasked = self._number == 0 and self._ready and not self._leaving
            self._cond.notify_all()
        if unasked:
            log.warning("controller %s: the process %d has ended: %s", self._name, self.pid, _ending(code))

    # ---- the end --------------------------------------------------------------------------------------------------

    def close(self, *, kill: bool = False) -> None:
        """Have it end, at once with `kill`. Does not wait; see `join`."""
        with self._cond:
            self._leaving = True
            if kill or not self._ready:
                self._kill_locked()
        with contextlib.suppress(OSError):
            _shut(self._connection)

    def join(self) -> None:
        """Wait until it has ended."""
        self._listener.join()

    def _kill_locked(self, *, reaped: bool = False) -> None:
        """End the process and what it has started. Once `reaped`, its number may be another's."""
        if not self._reaped:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._reaped = self._reaped or reaped

    def _send(self, message: object) -> None:
        self._send_bytes(pickle.dumps(message))

    def _send_bytes(self, data: bytes) -> None:
        with self._sending:
            self._connection.send_bytes(data)

    def __repr__(self) -> str:
        with self._cond:
            state = "dead" if self._dead else "busy" if self._number else "idle" if self._ready else "booting"
        return f"<Child {self.pid} of {self._name}: {state}>"


def _pickled(task: Task) -> bytes:
    try:
        return pickle.dumps(task)
    except Exception as err:
        raise TypeError(f"request {task.request!r} cannot be handed to another process: {err}") from err


def _shut(connection: Connection) -> None:
    """Close both directions, which wakes who reads."""
    import socket

    with socket.socket(fileno=os.dup(connection.fileno())) as half:
        half.shutdown(socket.SHUT_RDWR)


def _ending(code: int | None) -> str:
    """How a process has ended, in words."""
    if code is None:
        return "nobody knows how"
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
