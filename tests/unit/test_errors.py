from __future__ import annotations

import pickle

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails


def failure(code=0, reason=None, **details):
    return errors.status_error(Status(status="Failure", code=code, reason=reason, details=StatusDetails(**details)))


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", errors.NotFound),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Gone", errors.Gone),
        (410, "Expired", errors.Expired),
        (422, "Invalid", errors.Invalid),
        (500, "ServerTimeout", errors.ServerTimeout),
        (504, "Timeout", errors.Timeout),
    ],
)
def test_mach_26_the_reason_decides(code, reason, kind):
    assert type(failure(code, reason)) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, errors.BadRequest), (401, errors.Unauthorized), (403, errors.Forbidden), (404, errors.NotFound),
     (409, errors.Conflict), (410, errors.Gone), (502, errors.InternalError), (418, errors.UnknownStatus)],
)  # fmt: skip
def test_mach_26_without_a_known_reason_the_code_decides(code, kind):
    assert type(failure(code)) is kind
    assert type(failure(code, "Unheard")) is kind


@pytest.mark.parametrize(("code", "kind"), [(429, errors.TooManyRequests), (413, errors.RequestEntityTooLarge)])
def test_mach_27_for_429_and_413_the_code_decides_whatever_the_reason(code, kind):
    assert type(failure(code, "ServerTimeout")) is kind


def test_mach_27_already_exists_is_no_conflict():
    assert not isinstance(failure(409, "AlreadyExists"), errors.Conflict)


def test_mach_25_an_error_carries_the_whole_status():
    err = failure(404, "NotFound", name="web-0", kind="pods")

    assert (err.code, err.reason, err.details.name, err.status.status) == (404, "NotFound", "web-0", "Failure")
    assert pickle.loads(pickle.dumps(err)).details.name == "web-0"


def test_mach_28_the_delay_a_server_asks_for():
    assert failure(429, "TooManyRequests", retry_after_seconds=3).retry_after == 3.0
    assert failure(500, "InternalError").retry_after is None
    assert failure(500, "ServerTimeout").retry_after == 0.0


def test_mach_29_causes():
    err = failure(409, "Conflict", causes=[StatusCause(reason="FieldManagerConflict", field=".spec")])

    assert err.has_cause("FieldManagerConflict")
    assert not err.has_cause("Other")
    assert not failure(404).has_cause("Other")


def test_every_error_of_the_library_has_one_root():
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]

    assert len(classes) > 25
    assert all(issubclass(cls, errors.K8srtError) for cls in classes)
