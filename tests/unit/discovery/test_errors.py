"""Errors of discovery and of mappers travel between processes."""

from __future__ import annotations

import pickle

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupVersion

APPS = GroupVersion("apps", "v1")


@pytest.mark.parametrize(
    "error",
    [
        errors.StaleGroupVersion(APPS),
        errors.EmptyGroupVersion(APPS),
        errors.UnknownGroupVersion("apps/v1"),
        errors.GroupDiscoveryFailed({APPS: errors.StaleGroupVersion(APPS)}, []),
        errors.NoResourceMatch("no foos", "foos"),
        errors.AmbiguousKind("two", "Foo", ["a", "b"]),
    ],
)
def test_errors_are_pickled_whole(error: errors.K8srtError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again).keys() == vars(error).keys()


def test_what_is_not_served_can_be_caught_apart() -> None:
    assert issubclass(errors.NotServed, errors.NotFound)
    assert issubclass(errors.NoKindMatch, errors.NoMatch)
    assert not issubclass(errors.AmbiguousMatch, errors.NoMatch)
