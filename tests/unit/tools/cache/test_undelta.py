"""The store that shows its content after every change."""

from __future__ import annotations

import pytest

from k8srt.errors import CacheKeyError
from k8srt.tools.cache import UndeltaStore
from tests.unit.tools.cache.things import by_name, thing


def test_cache_69_every_change_shows_the_whole_content():
    shown = []
    store = UndeltaStore(lambda content: shown.append(sorted(content)), by_name)
    store.add(thing("a", 1))
    store.update(thing("a", 2))
    store.add(thing("b", 1))
    store.delete(thing("a"))
    store.replace([thing("c", 1), thing("d", 1)], "7")

    assert shown == [
        [("a", 1)],
        [("a", 2)],
        [("a", 2), ("b", 1)],
        [("b", 1)],
        [("c", 1), ("d", 1)],
    ]


def test_cache_69_neither_reads_nor_failures_show_anything():
    shown = []
    store = UndeltaStore(shown.append, by_name)
    store.get(thing("a"))
    store.list()
    store.list_keys()
    for write in (store.add, store.update, store.delete, lambda obj: store.replace([obj])):
        with pytest.raises(CacheKeyError):
            write(42)

    assert shown == []
