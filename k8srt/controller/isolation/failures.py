"""What goes wrong in a process of its own, and how exceptions come back from there.

An exception keeps its type if it can be pickled and read again, as those of the API, `TerminalError` and `RetryAfter`
can. What cannot comes back as a `RemoteFailure` with its text. In both cases the traceback is there as text, as the
cause.

Contract: THR-06, RTY-01.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from k8srt.controller.request import TerminalError, is_terminal
from k8srt.errors import K8srtError


class ProcessDied(K8srtError):
    """The process of a reconcile ended in the middle of it. `exit_code` is negative for a signal."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[ProcessDied], tuple[str, int | None]]:
        return type(self), (str(self), self.exit_code)


class RemoteFailure(K8srtError):
    """An exception of a reconcile in another process that could not be brought over, as text."""


class RemoteTraceback(Exception):
    """The traceback of an exception in another process, as text. Never raised, the cause of what is."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Packed:
    """An exception on its way. `data` is the pickled one, None if that cannot be; `terminal` and `priority` hold in
    either case."""

    data: bytes | None
    text: str
    trace: str
    terminal: bool = False
    priority: int | None = None


def packed(err: BaseException) -> Packed:
    """An exception, to be sent."""
    priority = getattr(err, "priority", None)
    return Packed(
        _pickled(err),
        f"{type(err).__name__}: {err}" if str(err) else repr(err),
        "".join(traceback.format_exception(err)),
        is_terminal(err),
        priority if isinstance(priority, int) else None,
    )


def _pickled(err: BaseException) -> bytes | None:
    """None for what is no ordinary exception, and for what would come back as something else."""
    if not isinstance(err, Exception):
        return None
    try:
        data = pickle.dumps(err)
        again = pickle.loads(data)
    except Exception:  # noqa: BLE001 - it is the user's class that says how it is pickled
        return None
    return data if type(again) is type(err) and str(again) == str(err) else None


def unpacked(sent: Packed) -> Exception:
    """The exception again."""
    err = _unpickled(sent.data) or RemoteFailure(sent.text)
    cause: Exception = RemoteTraceback(sent.trace)
    if sent.terminal and not is_terminal(err):
        terminal = TerminalError(sent.text)
        terminal.__cause__, cause = cause, terminal
    err.__cause__ = cause
    if sent.priority is not None and not hasattr(err, "priority"):
        err.priority = sent.priority  # type: ignore[attr-defined]  # asked for by getattr, of any exception
    return err


def _unpickled(data: bytes | None) -> Exception | None:
    if data is None:
        return None
    try:
        err = pickle.loads(data)
    except Exception:  # noqa: BLE001 - its class is not to be found here
        return None
    return err if isinstance(err, Exception) else None
