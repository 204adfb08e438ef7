"""A process that reconciles for a controller in another one.

It is told what it is for, and then one task after the other. The main thread reconciles, one thread listens, and one
notices when the controller's process has gone, however that came about, and ends this one with all that it has started.

Contract: THR-06.
"""

from __future__ import annotations

import contextlib
import faulthandler
import itertools
import logging
import os
import pickle
import queue
import signal
import sys
import threading
from multiprocessing import spawn as preparing
from multiprocessing.connection import Connection
from typing import Any

from k8srt.controller.context import Context, ReconcileEnded, running
from k8srt.controller.isolation import here, logs
from k8srt.controller.isolation.failures import packed, unpacked
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
from k8srt.controller.isolation.program import Program
from k8srt.controller.isolation.surroundings import Surroundings
from k8srt.controller.request import Result
from k8srt.util.threads import spawn


def main(talk: int, life: int) -> None:
    """Reconcile until the connection `talk` closes. Nothing is ever written to `life`; it closes with the parent."""
    here.enter()
    for descriptor in (talk, life):
        os.set_inheritable(descriptor, False)
    _end_with(life)
    faulthandler.enable()
    Worker(Connection(talk)).run()


def _end_with(life: int) -> None:
    """End this process, and those that it has started, when the other end of the pipe is closed."""
    spawn("isolated-life", _wait_for_end, life)
    try:
        import fcntl

        # Where a C extension keeps the thread from running, the kernel does it: a signal whose default is to end.
        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        pass


def _wait_for_end(life: int) -> None:
    while os.read(life, 1):
        pass
    os.killpg(0, signal.SIGKILL)


class Worker:
    """See the module."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()  # guards what is sent, a message at a time
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # guards all below
        self._asked: dict[int, queue.SimpleQueue[Leave]] = {}
        self._number = 0  # of the task that came last
        self._ctx: Context[Any] | None = None
        self._halted: Halt | None = None

    def run(self) -> None:
        """Begin, and reconcile until there is nothing more to come."""
        with contextlib.suppress(EOFError, OSError):
            around = self._begin()
            if around is None:
                return
            spawn("isolated-listener", self._listen)
            while (task := self._tasks.get()) is not None:
                self._send(self._reconcile(around, task))

    def _begin(self) -> Surroundings | None:
        begin: Begin = pickle.loads(self._connection.recv_bytes())
        logs.install(lambda attributes: self._send(Logged(attributes)), begin.levels)
        try:
            sys.argv = begin.argv
            preparing.prepare(dict(begin.main))
            program: Program = pickle.loads(begin.program)
            around = Surroundings(program, self._may_write, self._record)
        except BaseException as err:  # noqa: BLE001 - modules of the user's are imported
            self._send(Failed(packed(err)))
            return None
        self._send(Ready())
        return around

    def _send(self, message: object) -> None:
        data = pickle.dumps(message)
        with self._sending:
            self._connection.send_bytes(data)

    def _listen(self) -> None:
        try:
            while True:
                self._hear(pickle.loads(self._connection.recv_bytes()))
        except (EOFError, OSError):
            self._tasks.put(None)

    def _hear(self, message: object) -> None:
        match message:
            case Task():
                with self._lock:
                    self._number, self._halted = message.number, None
                self._tasks.put(message)
            case Halt():
                with self._lock:
                    if message.number != self._number:
                        return
                    self._halted, ctx = message, self._ctx
                _halt(ctx, message)
            case Leave():
                with self._lock:
                    waiting = self._asked.pop(message.number, None)
                if waiting is not None:
                    waiting.put(message)

    # ---- one reconcile --------------------------------------------------------------------------------------------

    def _reconcile(self, around: Surroundings, task: Task) -> Answer:
        ctx = around.context(task)
        with self._lock:
            self._ctx, halted = ctx, self._halted
        _halt(ctx, halted)
        try:
            with running(ctx):
                result = around.reconcile(task.request, ctx)
            if result is not None and not isinstance(result, Result):
                raise TypeError(f"a reconcile returns a Result or None, not {result!r}")
            return Answer(result)
        except BaseException as err:  # noqa: BLE001 - whatever it is, it is of this reconcile alone
            return Answer(None, packed(err))
        finally:
            with self._lock:
                self._ctx = None
            ctx.stop.set()

    def _may_write(self, ctx: Context[Any]) -> None:
        """Ask the controller, which knows whether it leads. Raises what it says against it."""
        answer: queue.SimpleQueue[Leave] = queue.SimpleQueue()
        number = next(self._numbers)
        with self._lock:
            if ctx is not self._ctx:
                raise ReconcileEnded(f"{ctx.controller}: the reconcile of {ctx.request} that wants to write has ended")
            self._asked[number] = answer
        self._send(Ask(number))
        refusal = answer.get().refusal
        if refusal is not None:
            raise unpacked(refusal)

    def _record(self, event: Event) -> None:
        try:
            self._send(event)
        except Exception as err:  # noqa: BLE001 - a recorder never raises
            logging.getLogger(__name__).error("event %s %r is dropped: %s", event.method, event.args, err)


def _halt(ctx: Context[Any] | None, halt: Halt | None) -> None:
    if ctx is None or halt is None:
        return
    if halt.timed_out:
        ctx.stop.expire()
    else:
        ctx.stop.set()
