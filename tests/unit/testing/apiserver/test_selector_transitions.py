"""What a watcher with a selector sees of a change: objects enter and leave what it selects."""

from __future__ import annotations

import pytest

from k8srt.testing.apiserver.storage import Stored
from k8srt.testing.apiserver.watches import Change


def stored(revision: int, label: str) -> Stored:
    body = b'{"metadata":{"name":"a","resourceVersion":"%d"}}' % revision
    return Stored("a", "", "a", "u", revision, body, {"app": label}, {})


def is_web(value: Stored) -> bool:
    return value.labels["app"] == "web"


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        (None, "web", "ADDED"),
        (None, "db", None),
        ("web", "web", "MODIFIED"),
        ("web", "db", "DELETED"),
        ("db", "web", "ADDED"),
        ("db", "db", None),
        ("web", None, "DELETED"),
        ("db", None, None),
    ],
)
def test_transitions(before, after, seen):
    old = stored(1, before) if before else None
    new = stored(2, after) if after else None
    change = Change(2, "a", new, old, new or stored(2, before or ""))

    assert change.as_seen_by(is_web) == seen


def test_an_object_that_leaves_is_shown_as_it_was_under_the_new_version():
    change = Change(7, "a", stored(7, "db"), stored(3, "web"), stored(7, "db"))

    left = change.leaving()

    assert left.labels == {"app": "web"}
    assert left.decode()["metadata"]["resourceVersion"] == "7"
