"""What was written is laid over a cache that lags: for one key, reading never goes back in time.

The model is the history of the server. The cache follows it by events, bookmarks and lists, as late as it likes;
answers to writes arrive late and in any order. Each read of a key must be true of some moment of the history: one no
earlier than that of the read before it, nor than any write that was answered at once.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.record import Record, record_from_parts
from k8srt.controller.cache.field_index import Query
from k8srt.controller.cache.kind_cache import _select_newest
from k8srt.controller.cache.overlay import Overlay, moment
from k8srt.testing import FakeClock
from k8srt.tools.cache import Indexer
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, meta_namespace_index
from k8srt.tools.cache.store import GONE

Answer = tuple[int, str, Record | None, Record, int | None]
"""The version of a write, what it left, what its writer knew before, the moment it began if others may overtake it."""


WHOSE = st.sampled_from(["others", "mine", "late"])
KEYS = st.sampled_from(["default/a", "default/b"])
BEFORE = 10  # versions have two digits or more, and grow to three: they are numbers, not text


def record(key: str, uid: str, version: int) -> Record:
    namespace, _, name = key.partition("/")
    meta = {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": str(version)}
    return record_from_parts({"metadata": json.dumps(meta).encode()})


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = BEFORE
        self.history: list[tuple[int, str, Record | None]] = []  # version, key, and what is there from then on
        self.indexer: Indexer[ConfigMap] = Indexer(kind=ConfigMap, indexers={NAMESPACE_INDEX: meta_namespace_index})
        self.indexer.swap({}, str(BEFORE))
        self.seen = BEFORE
        self.clock = FakeClock()
        self.overlay = Overlay(self.indexer, clock=self.clock)
        self.answers: list[Answer] = []
        self.floor: dict[str, int] = {}

    # ---- the world

    def _current(self, key: str) -> Record | None:
        return next((each for _, what, each in reversed(self.history) if what == key), None)

    @rule(key=KEYS, mine=WHOSE)
    def put(self, key: str, mine: str) -> None:
        self.now += 30
        before = self._current(key)
        made = record(key, before.uid if before is not None else f"uid-{self.now}", self.now)
        self.history.append((self.now, key, made))
        self._write(mine, (self.now, key, made, made, moment() if mine == "late" else None))

    @rule(key=KEYS, mine=WHOSE)
    def delete(self, key: str, mine: str) -> None:
        before = self._current(key)
        if before is None:
            return
        self.now += 30
        self.history.append((self.now, key, None))
        known = next(each for _, _, each in self.history if each is not None and each.uid == before.uid)
        self._write(mine, (self.now, key, None, known, moment() if mine == "late" else None))

    def _write(self, mine: str, answer: Answer) -> None:
        if mine == "late":
            self.answers.append(answer)
        elif mine == "mine":
            self._answered(answer)

    # ---- the writer

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        if not self.answers:
            return
        index = data.draw(st.integers(0, len(self.answers) - 1))
        self._answered(self.answers.pop(index))

    def _answered(self, answer: Answer) -> None:
        version, key, made, last, since = answer
        if made is not None:
            self.overlay.wrote(made, since)
        else:
            self.overlay.deleted(key, last.uid, last.resource_version, since)
        if since is None:
            self.floor[key] = max(self.floor.get(key, 0), version)

    # ---- the watch

    @rule()
    def event(self) -> None:
        found = next(((version, key, each) for version, key, each in self.history if version > self.seen), None)
        if found is not None:
            self.seen, key, each = found
            self.indexer.apply([(key, GONE if each is None else each)], str(self.seen))

    @rule(ahead=st.integers(0, 3))
    def relist(self, ahead: int) -> None:
        later = [version for version, _, _ in self.history if version > self.seen]
        self.seen = ([self.seen, *later])[: ahead + 1][-1]
        state: dict[str, Any] = {}
        for version, key, each in self.history:
            if version <= self.seen:
                state[key] = each
        self.indexer.swap({key: each for key, each in state.items() if each is not None}, str(self.seen))

    @rule()
    def bookmark(self) -> None:
        later = [version for version, _, _ in self.history if version > self.seen]
        if not later:
            self.indexer.bookmark(str(self.now))

    @rule(seconds=st.sampled_from([1.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # ---- the reader

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        self._read(key, self.overlay.newest(key))

    @rule()
    def list(self) -> None:
        part: Any = SimpleNamespace(overlay=self.overlay, informer=SimpleNamespace(indexer=self.indexer))
        found = {each.key: each for each in _select_newest(part, Query.of("default", None, None))}
        for key in ("default/a", "default/b"):
            self._read(key, found.get(key, GONE))

    def _read(self, key: str, found: Any) -> None:
        """Find the first moment, not before the floor, at which what was read was so."""
        moments = [(0, None), *((version, each) for version, what, each in self.history if what == key)]
        ends = [version for version, _ in moments[1:]] + [self.now + 1_000_000]
        wanted = None if found is GONE else found.resource_version
        floor = self.floor.get(key, 0)
        for (start, each), end in zip(moments, ends, strict=True):
            if end > floor and (each.resource_version if each is not None else None) == wanted:
                self.floor[key] = max(floor, start)
                return
        raise AssertionError(f"{key}: read {wanted}, which is older than {floor}: {moments}")


Machine.TestCase.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
TestCrc11NeverBackInTime = Machine.TestCase


def test_crc_11_what_the_watch_has_confirmed_is_kept_no_longer() -> None:
    indexer: Indexer[ConfigMap] = Indexer(kind=ConfigMap)
    indexer.swap({}, "1")
    overlay = Overlay(indexer, clock=FakeClock())
    for number in range(500):
        made = record(f"default/{number}", "u", 100 + number)
        overlay.wrote(made)
        indexer.apply([(made.key, made)], made.resource_version)

    assert len(overlay.keys()) <= 64
    assert len(overlay) == 0
