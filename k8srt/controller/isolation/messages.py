"""What a controller and its processes say to one another: pickled, each with its length before it.

    controller → process    Begin, then for each reconcile Task, maybe Halt; Leave as the answer to an Ask
    process → controller    Ready or Failed, then for each reconcile Asks and Events, and one Answer; Logged at any time

Contract: THR-06.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from k8srt.controller.isolation.failures import Packed
from k8srt.controller.reasons import Reason
from k8srt.controller.request import Request, Result


@dataclass(frozen=True, slots=True)
class Begin:
    """How to become what is wanted. `argv` are the arguments of the program, for modules that look at them. `main` says
    how the program's main module is imported, empty if it is not needed. `levels` are those of loggers, "" for the
    root. `program` is pickled, as it needs the rest to be read."""

    argv: list[str]
    main: dict[str, str]
    levels: dict[str, int]
    program: bytes


@dataclass(frozen=True, slots=True)
class Task:
    """One reconcile, by a number of its own. `seconds_left` until its deadline."""

    number: int
    request: Request
    reconcile_id: str
    attempt: int
    first_failure: datetime | None
    last_error: Packed | None
    reasons: tuple[Reason, ...]
    priority: int
    seconds_left: float | None
    filtered_out: bool
    log_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Halt:
    """The reconcile of this number is to end, because its time is over or because everything is."""

    number: int
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether something may be written: `refusal` says why not."""

    number: int
    refusal: Packed | None


@dataclass(frozen=True, slots=True)
class Ready:
    """The process takes tasks."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot become what is wanted, and ends."""

    failure: Packed


@dataclass(frozen=True, slots=True)
class Ask:
    """Something is to be written: may it?"""

    number: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something is to be recorded about an object, by a method of the recorder."""

    method: str
    args: tuple[Any, ...]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Logged:
    """A log record, by its attributes."""

    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a reconcile ended."""

    result: Result | None
    failure: Packed | None = None
