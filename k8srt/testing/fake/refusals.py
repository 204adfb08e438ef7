"""Failures for tests, made as a server makes them."""

from __future__ import annotations

from typing import Any

import msgspec

from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.wire import decoder
from k8srt.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    NotFound,
    StatusError,
    status_error,
)
from k8srt.testing.apiserver import failures
from k8srt.testing.fake.actions import Action

_CODES = {AlreadyExists: 409, Expired: 410}
_WORDED: dict[type[StatusError], Any] = {
    AlreadyExists: failures.already_exists,
    Conflict: failures.conflict,
    NotFound: failures.not_found,
}


def refusal(kind: type[StatusError], message: str = "", *, action: Action | None = None) -> StatusError:
    """An error of the class `kind`, with the status a server sends: `raise refusal(errors.Conflict)` in a reactor.

    With an action and without a message, it is worded as the server's would be.
    """
    group, plural, name = ("", "", "") if action is None else (*_about(action), action.name)
    if not message and plural and kind in _WORDED:
        made = _WORDED[kind](group, plural, name)
    elif not message and plural and kind is Forbidden:
        made = failures.forbidden(group, plural, name, "refused by the test")
    else:
        reason = kind.reasons[0] if kind.reasons else "Unknown"
        code = _CODES.get(kind) or (kind.codes[0] if kind.codes else 500)
        made = failures.failure(code, reason, message or f"{reason}: refused by the test", {})
    return status_error(decoder(Status).decode(msgspec.json.encode(made.status)))


def _about(action: Action) -> tuple[str, str]:
    return action.resource.group, action.resource.resource
