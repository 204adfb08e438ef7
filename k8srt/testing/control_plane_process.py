"""A program that runs beside the tests and does not outlive them.

It is started by a guard (`control_plane_guard`), which ends it when this process has gone. What it writes goes to a
file, whose end is in the error when something is wrong with it.

Contract: ETE-05.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from k8srt.errors import K8srtError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

GUARD = Path(__file__).with_name("control_plane_guard.py")
_SHOWN = 2000  # of what a program wrote, in an error
_LOOK_EVERY = 0.05


class ControlPlaneFailed(K8srtError):
    """A program of the control plane did not start or did not stop; the message has the end of what it wrote."""


class GuardedProcess:
    """One program. `start` and `stop` are for one thread; `stop` may be called any number of times.

    `folder`, if given, is removed by the guard when this process ends without having stopped the program. With
    `attach`, what the program writes goes where this process writes, instead of to the file `log`.
    """

    def __init__(
        self,
        program: Path,
        arguments: Sequence[str],
        log: Path,
        *,
        folder: str = "",
        attach: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        self.name = program.name
        self._command = [sys.executable, "-I", "-S", str(GUARD), folder, str(program), *arguments]
        self._log = log
        self._attach = attach
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the guard; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self, is_ready: Callable[[], bool], timeout: float) -> None:
        """Run it, and return when `is_ready` says so. Raises ControlPlaneFailed, and it does not run then."""
        with open(self._log, "wb") as log:
            out = None if self._attach else log
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out and subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal is this process's to answer
            )
        deadline = self._clock.now() + timeout
        pause = Stop()
        try:
            while not is_ready():
                code = self._process.poll()
                if code is not None:
                    raise ControlPlaneFailed(f"{self.name} ended with {code} while it was starting{self._tail()}")
                if self._clock.now() >= deadline:
                    raise ControlPlaneFailed(f"{self.name} was not ready after {timeout:g}s{self._tail()}")
                self._clock.wait_event(pause, _LOOK_EVERY)
        except BaseException as err:
            try:
                self.stop(timeout)
            except ControlPlaneFailed as more:
                err.add_note(str(more))  # why it did not start is what is asked for
            raise

    def stop(self, timeout: float) -> None:
        """Have it end, and wait for that. Raises ControlPlaneFailed when it had to be killed."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()  # which the guard hears
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):  # both have just ended
                os.killpg(process.pid, signal.SIGKILL)  # the guard's session: the program is in it, too
            process.wait()
            raise ControlPlaneFailed(f"{self.name} did not end within {timeout:g}s and was killed") from None

    def _tail(self) -> str:
        if self._attach:
            return ""
        text = self._log.read_bytes()[-_SHOWN:].decode(errors="replace").strip()
        return f"; it wrote last:\n{text}" if text else "; it wrote nothing"

    def __repr__(self) -> str:
        return f"<GuardedProcess {self.name}: {f'guarded by {self.pid}' if self.pid else 'not running'}>"
