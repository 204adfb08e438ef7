from __future__ import annotations

import os

import pytest

from k8srt.transport import shared
from k8srt.transport.shared import Shared


def test_rest_60_a_thing_is_made_once_for_each_key_and_found_under_others_that_it_is_given() -> None:
    things: Shared[object] = Shared()
    made = things.get(("a", 1), object)

    things.put(("b", 2), made)

    assert things.get(("a", 1), object) is made
    assert things.get(("b", 2), object) is made
    assert things.get(("a", 2), object) is not made


def test_rest_60_what_was_not_asked_for_the_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "KEPT", 2)
    things: Shared[object] = Shared()
    first, second = things.get(1, object), things.get(2, object)

    things.get(1, object)
    things.get(3, object)

    assert things.get(1, object) is first
    assert things.get(2, object) is not second


def test_usr_39_a_child_process_starts_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    things: Shared[object] = Shared()
    made = things.get(1, object)

    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert things.get(1, object) is not made
