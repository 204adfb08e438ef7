"""What a process is for, and whether it can be told.

A reconciler goes to another process by its name: a function, or an object of a class, of a module that can be imported
there. So a lambda cannot, nor a function within a function, nor what was typed into a session. What can be seen of that
is said where the controller is defined; the rest when it is started, as a decorated function has its name only then.

Contract: THR-06.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys
from typing import Any

from k8srt.rest.config import Config

_ADVICE = "define it by a `def` of its own in a module"


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """What a process is told once. `kind` is what requests stand for, `state` the caller's own, as a copy."""

    controller: str
    reconcile: Any
    kind: Any
    config: Config
    state: Any = None
    executor_threads: int = 8


def check(program: Program) -> None:
    """Raises ValueError for what can never be told to another process."""
    for function in _functions_of(program.reconcile):
        problem = _problem_of(function)
        if problem:
            raise ValueError(f"{_about(program)}: {function!r} {problem}")
    if program.config.transport is not None:
        raise ValueError(
            f"{_about(program)}: the clientset has a transport of its own (a fake?), which other processes cannot use"
        )
    if program.state is not None:
        _pickled(program, "state", program.state)


def _about(program: Program) -> str:
    return f'controller {program.controller}: run_in="process"'


def _functions_of(reconcile: Any) -> list[Any]:
    """The functions that a reconciler is made of, as far as it says."""
    found: list[Any] = []
    each = reconcile
    while each is not None and all(each is not other for other in found):
        found.append(each)
        each = getattr(each, "__wrapped__", None) or getattr(each, "__func__", None) or getattr(each, "func", None)
    return [each for each in found if hasattr(each, "__qualname__")]


def _problem_of(function: Any) -> str:
    """Why it cannot be found again by its name; empty if it may well be."""
    if "<lambda>" in function.__qualname__:
        return f"is a lambda, which has no name by which another process could find it: {_ADVICE}"
    if "<locals>" in function.__qualname__:
        return f"is defined within another function, where no other process finds it: {_ADVICE}"
    if function.__module__ != "__main__":
        return ""
    main = sys.modules.get("__main__")
    name = getattr(getattr(main, "__spec__", None), "name", "")
    if name.endswith("__main__"):
        return f"is defined in {name}, which other processes do not import: {_ADVICE}"
    if not name and not getattr(main, "__file__", None):
        return f"was defined in an interactive session, where no other process finds it: {_ADVICE}"
    return ""


def pack(program: Program) -> bytes:
    """The program, to be sent. Raises ValueError saying what of it cannot be."""
    config = dataclasses.replace(program.config, rate_limiter=None, warning_handler=None)
    sent = dataclasses.replace(program, config=config)
    for what in ("reconcile", "kind", "config", "state"):
        _pickled(sent, what, getattr(sent, what))
    return pickle.dumps(sent)


def _pickled(program: Program, what: str, value: Any) -> None:
    try:
        pickle.dumps(value)
    except Exception as err:
        advice = f"; {_ADVICE}" if what == "reconcile" else ""
        raise ValueError(f"{_about(program)}: {what} cannot be handed to another process: {err}{advice}") from err


def main_module(data: bytes) -> dict[str, str]:
    """How to import the main module of this program elsewhere, as `multiprocessing` does it; empty if `data` names
    nothing of it."""
    if b"__main__" not in data and b"__mp_main__" not in data:
        return {}
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", None)
    if name:
        return {"init_main_from_name": name}
    path = getattr(main, "__file__", None)
    return {"init_main_from_path": os.path.abspath(path)} if path else {}
