"""Several errors as one, and answers that were none of the API's. Contract: MACH-30, MACH-31."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails
from k8srt.errors import (
    UNEXPECTED_RESPONSE,
    Aggregate,
    K8srtError,
    TransportError,
    aggregate,
    is_unexpected_server_error,
    status_error,
)


def unexpected(reason: str = UNEXPECTED_RESPONSE) -> Exception:
    return status_error(Status(code=500, details=StatusDetails(causes=[StatusCause(reason=reason)])))


def test_mach_30_the_cause_says_that_an_answer_was_unexpected():
    assert is_unexpected_server_error(unexpected())
    assert not is_unexpected_server_error(unexpected("FieldValueInvalid"))
    assert not is_unexpected_server_error(status_error(Status(code=500)))
    assert not is_unexpected_server_error(ValueError("x"))
    assert not is_unexpected_server_error(None)


def test_mach_30_errors_that_come_from_it_count_too():
    outer = TransportError("list failed")
    outer.__cause__ = unexpected()
    assert is_unexpected_server_error(outer)

    outer.__cause__ = ring = ValueError("x")
    ring.__cause__ = outer
    assert not is_unexpected_server_error(outer)


def test_mach_31_errors_in_errors_are_flattened():
    inner = aggregate([KeyError("b"), ExceptionGroup("g", [OSError("c")])])

    found = aggregate([ValueError("a"), inner])

    assert isinstance(found, (Aggregate, K8srtError, ExceptionGroup))
    assert [type(err) for err in found.exceptions] == [ValueError, KeyError, OSError]


def test_mach_31_the_message_says_each_thing_once():
    assert str(aggregate([ValueError("a")])) == "a"
    assert str(aggregate([ValueError("a"), OSError("a"), OSError("b")])) == "[a, b]"


def test_mach_31_membership_is_asked_of_all_inside():
    this = OSError("c")
    found = aggregate([ValueError("a"), aggregate([this])])

    assert found.contains(OSError)
    assert found.contains(this)
    assert not found.contains(OSError("c"))
    assert not found.contains(KeyError)


def test_mach_31_no_errors_are_none():
    assert aggregate([]) is None
    assert aggregate([None, None]) is None


def test_mach_31_except_star_takes_it_apart():
    seen = []

    try:
        raise aggregate([ValueError("a"), OSError("b"), OSError("c")])
    except* OSError as group:
        seen.append(str(group))
    except* ValueError as group:
        seen.append(str(group))

    assert seen == ["[b, c]", "a"]
    with pytest.raises(K8srtError):
        raise aggregate([ValueError("a")])
