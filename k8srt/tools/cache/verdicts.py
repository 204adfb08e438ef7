"""What a failure means to a reflector: pure decisions, no state.

| what happened | to an opening watch | to an open watch |
| --- | --- | --- |
| connection refused, 429 | AGAIN_LATER | AGAIN_LATER |
| the stream ended, was cut, fell silent | – | AGAIN, or RELIST when nothing came and it was short |
| 410 | FAIL | RELIST |
| 500 | FAIL | AGAIN for a while, if so configured; else RELIST |
| anything else | FAIL | RELIST |

Contract: REFL-29, REFL-35 to REFL-39.
"""

from __future__ import annotations

from enum import Enum, auto

from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.record import Record, encode_record
from k8srt.apimachinery.wire import decoder
from k8srt.errors import ConnectionRefused, Gone, StatusError, Timeout, TooManyRequests, WatchError, status_error

_TOO_LARGE = "Too large resource version"


class Verdict(Enum):
    """What is done next."""

    AGAIN = auto()  # open the watch again at once
    AGAIN_LATER = auto()  # open the watch again after one step of backoff
    RELIST = auto()  # leave the watch phase quietly; after a step of backoff comes a list
    FAIL = auto()  # the same, and the error goes to the error handler


class VeryShortWatchError(WatchError):
    """A watch ended in less than a second without any event. Contract: REFL-36."""

    def __init__(self, name: str) -> None:
        super().__init__(f"very short watch: {name}: it ended within a second and brought no events")


def is_expired(err: BaseException | None) -> bool:
    """Whether the server no longer keeps the version asked for. Contract: REFL-38."""
    return isinstance(err, Gone)


def is_too_large(err: BaseException | None) -> bool:
    """Whether the server does not know the version yet. Contract: REFL-39."""
    if not isinstance(err, StatusError):
        return False
    if err.has_cause("ResourceVersionTooLarge"):
        return True
    old = (cause.message for cause in err.causes)
    return isinstance(err, Timeout) and (_TOO_LARGE in err.message or _TOO_LARGE in old)


def is_retriable(err: BaseException) -> bool:
    """Whether the server is only busy or not up: no reason to list again. Contract: REFL-29, REFL-35."""
    return isinstance(err, (ConnectionRefused, TooManyRequests))


def failure_in(record: Record) -> StatusError:
    """The error that an ERROR event carries. Contract: REFL-44."""
    return status_error(decoder(Status).decode(encode_record(record)))
