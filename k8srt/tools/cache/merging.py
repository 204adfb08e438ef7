"""Notifications that wait for a slow handler, merged by key.

What is left of many tells a handler the same in the end, and is a sequence that could have happened: what it has been
told of is updated at most once, with the object that it knows as the old one and the latest as the new one, and is
deleted if it is gone; what came and went meanwhile is never mentioned. Of each key at most a deletion and an addition
are left, in this order, at the place of the first that waited.

Contract: SHR-02.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from k8srt.tools.cache.consumer import Notification
from k8srt.tools.cache.keys import DeletedFinalStateUnknown
from k8srt.tools.cache.store import GONE


class _Merged:
    """What is left of one key: what it was told of is deleted, or not, and something else is there, or not."""

    __slots__ = ("deleted", "there")

    def __init__(self) -> None:
        self.deleted: Notification | None = None
        self.there: Notification | None = None  # an addition or an update

    def take(self, next_: Notification) -> None:
        there = self.there
        if next_.new is GONE:
            self.there = None
            if there is None or there.old is not GONE:
                self.deleted = next_
            # else it has come since, so that nobody knows of it
        elif there is None:
            self.there = next_
        else:
            self.there = Notification(there.old, next_.new, there.initial)


def merge(waiting: Iterable[Notification], key_of: Callable[[Any], str]) -> list[Notification]:
    """What is left of notifications in the order of their making. `key_of` tells the key of an object in kept form.

    Contract: SHR-02.
    """
    by_key: dict[str, _Merged] = {}
    for each in waiting:
        obj = each.old if each.new is GONE else each.new
        key = obj.key if isinstance(obj, DeletedFinalStateUnknown) else key_of(obj)
        merged = by_key.get(key)
        if merged is None:
            merged = by_key[key] = _Merged()
        merged.take(each)
    left: list[Notification] = []
    for merged in by_key.values():
        if merged.deleted is not None:
            left.append(merged.deleted)
        if merged.there is not None:
            left.append(merged.there)
    return left
