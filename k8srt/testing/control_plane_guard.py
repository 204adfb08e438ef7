"""Runs one program, and ends it when whoever started this has gone: `python control_plane_guard.py FOLDER PROGRAM ...`

Standard input is a pipe that the one who started this holds and never writes to. When it closes, however that came
about, the program is asked to end, asked again, killed if it does not, and FOLDER is removed. Loads the standard
library only; it is a process of its own, so that it also works for a parent that was killed.

Contract: ETE-05.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

GRACE = 2.0
"""Seconds until a program is asked to end once more. An API server that is asked once waits a minute for those who
watch; asked twice it ends."""
PATIENCE = 10.0
"""Seconds that it has after that."""


def main() -> int:
    """Returns the exit code of the program, 128 and the number of the signal if one ended it."""
    folder, *command = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the pipe says when, not the terminal
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)
    gone = threading.Thread(target=_end_when_alone, args=(program, folder), daemon=True)
    gone.start()
    code = program.wait()
    if gone.is_alive() and _alone():
        gone.join(GRACE + PATIENCE)
    return code if code >= 0 else 128 - code


def _alone() -> bool:
    import select

    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable)


def _end_when_alone(program: subprocess.Popen[bytes], folder: str) -> None:
    while os.read(0, 1):
        pass
    for seconds in (GRACE, PATIENCE):
        program.terminate()
        try:
            program.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        program.kill()
        program.wait()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """Have the kernel end the program if this guard is killed, where it can (Linux)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError):
        pass


if __name__ == "__main__":
    sys.exit(main())
