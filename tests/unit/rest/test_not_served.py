"""A resource that a server does not serve at all is told apart from an object that is not there."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupResource
from k8srt.rest.status import Target, error_from

FOOS = Target("GET", "http://fake/apis/nope.io/v1/foos/a", GroupResource("nope.io", "foos"), "a", "v1")
NO_PATH = b"404 page not found\n"
NO_RESOURCE = (
    b'{"kind":"Status","status":"Failure","message":"the server could not find the requested resource",'
    b'"reason":"NotFound","details":{},"code":404}'
)
NO_OBJECT = (
    b'{"kind":"Status","status":"Failure","message":"foos.nope.io \\"a\\" not found",'
    b'"reason":"NotFound","details":{"name":"a","group":"nope.io","kind":"foos"},"code":404}'
)


@pytest.mark.parametrize(("body", "kind"), [(NO_PATH, "text/plain"), (NO_RESOURCE, "application/json")])
def test_what_is_not_served_is_said_to_be_so(body: bytes, kind: str) -> None:
    error = error_from(404, body, kind, FOOS)

    assert type(error) is errors.NotServed
    assert str(error).startswith("the server does not serve foos in nope.io/v1: the server could not find")
    assert error.reason == "NotFound"


def test_an_object_that_is_not_there_is_just_not_found() -> None:
    error = error_from(404, NO_OBJECT, "application/json", FOOS)

    assert type(error) is errors.NotFound
    assert str(error) == 'foos.nope.io "a" not found'


def test_the_answer_of_a_proxied_server_says_nothing_of_this_one() -> None:
    target = Target("GET", "http://fake/…", GroupResource("", "services/proxy"), "web", "v1")

    assert type(error_from(404, NO_PATH, "text/plain", target)) is errors.NotFound
