"""Reading what a server sent although it is odd.

Servers, and the controllers that write through them, send what the types do not allow: null among the items of a
list or the values of a map, times in other notations or none at all. None of that may keep anybody from reading the
rest (USR-26). Values of another type altogether are an error that names them.

What is read differently than it was written stays in the record, and is sent back as it came.
"""

from __future__ import annotations

import typing
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from k8srt.apimachinery import wire
from k8srt.apimachinery.choice import Choice
from k8srt.apimachinery.model import is_model, without_none
from k8srt.apimachinery.wrong import Wrong, find_wrong

_EMPTY: dict[Any, Any] = {int: 0, float: 0.0, bool: False, list: [], dict: {}}
_NO_TIME = "0001-01-01T00:00:00Z"


class Unreadable(Exception):
    """What cannot be put up with."""

    def __init__(self, found: list[Wrong]) -> None:
        super().__init__(found)
        self.found = found


def read_odd(annotation: Any, raw: bytes) -> Any:
    """Decode what the decoder refused. Raises Unreadable."""
    plain = msgspec.json.decode(raw)
    refused = [wrong for wrong in find_wrong(annotation, plain, lenient=True) if not _mend(plain, wrong)]
    if refused:
        raise Unreadable(refused)
    return wire.decoder(annotation).decode(msgspec.json.encode(plain))


def _mend(plain: Any, wrong: Wrong) -> bool:
    """Write something readable in the place of a wrong value, if there is something."""
    annotation = without_none(wrong.annotation)
    base = typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation
    if not wrong.steps:
        return False
    if base is datetime:
        moment = odd_time(wrong.value)
        instead = moment.isoformat() if moment else _NO_TIME if wrong.in_container else None
    elif wrong.value is None:
        instead = _empty(base)
    else:
        return False
    _put(plain, wrong.steps, instead)
    return True


def _empty(annotation: Any) -> Any:
    """What null among the items of a list reads as: what Go makes of it."""
    if is_model(annotation):
        return {}
    if isinstance(annotation, type) and issubclass(annotation, Choice):
        return annotation.kinds[-1]()
    return _EMPTY.get(typing.get_origin(annotation) or annotation, "")


def odd_time(value: Any) -> datetime | None:
    """What a notation of a time other than RFC 3339 means, in UTC where it does not say; None when it is none."""
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        return None


def _put(plain: Any, steps: tuple[str | int, ...], value: Any) -> None:
    for step in steps[:-1]:
        plain = plain[step]
    plain[steps[-1]] = value
