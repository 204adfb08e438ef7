"""What was written, laid over a cache that is behind."""

from __future__ import annotations

import json

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.record import Record, record_from_parts
from k8srt.controller.cache.overlay import LIFETIME, Overlay, as_number, moment
from k8srt.testing import FakeClock
from k8srt.tools.cache import Indexer
from k8srt.tools.cache.store import GONE

KEY = "default/a"


def record(version: str, uid: str = "one", **more: object) -> Record:
    meta = {"namespace": "default", "name": "a", "uid": uid, "resourceVersion": version, **more}
    return record_from_parts({"metadata": json.dumps(meta).encode()})


class Scene:
    def __init__(self, *stored: Record, at: str = "10") -> None:
        self.indexer: Indexer[ConfigMap] = Indexer(kind=ConfigMap)
        self.indexer.swap({each.key: each for each in stored}, at)
        self.clock = FakeClock()
        self.overlay = Overlay(self.indexer, clock=self.clock)

    def hear(self, kept: Record | None, at: str) -> None:
        self.indexer.apply([(KEY, GONE if kept is None else kept)], at)

    def read(self) -> str | None:
        found = self.overlay.newest(KEY)
        return None if found is GONE else found.resource_version


def test_crc_09_what_was_written_is_read_until_the_cache_is_as_new() -> None:
    scene = Scene(record("9"))

    scene.overlay.wrote(record("12"))
    assert scene.read() == "12"
    scene.hear(record("11"), "11")
    assert scene.read() == "12"
    scene.hear(record("100"), "100")

    assert scene.read() == "100"
    assert scene.overlay.keys() == []


def test_crc_09_what_was_made_is_gone_once_the_cache_is_past_it_without_it() -> None:
    scene = Scene()

    scene.overlay.wrote(record("12"))
    scene.indexer.bookmark("11")
    assert scene.read() == "12"
    scene.indexer.bookmark("12")

    assert scene.read() is None


def test_crc_09_a_deletion_hides_all_that_is_left_of_the_object() -> None:
    scene = Scene(record("9"))

    scene.overlay.deleted(KEY, "one")
    assert scene.read() is None
    scene.hear(record("15"), "15")
    assert scene.read() is None
    scene.hear(None, "16")
    assert scene.read() is None
    scene.hear(record("20", "two"), "20")

    assert scene.read() == "20"


def test_crc_11_an_object_with_another_uid_takes_over() -> None:
    scene = Scene(record("9"))

    scene.overlay.wrote(record("12"))
    scene.hear(record("14", "two"), "14")

    assert scene.read() == "14"


def test_crc_11_an_answer_that_comes_late_changes_nothing() -> None:
    scene = Scene(record("9"))
    began = moment()

    scene.overlay.wrote(record("13"))
    scene.overlay.wrote(record("12"), began)
    assert scene.read() == "13"
    scene.overlay.deleted(KEY, "one")
    scene.overlay.wrote(record("12"), began)
    assert scene.read() is None
    scene.overlay.wrote(record("20", "two"))

    assert scene.read() == "20"


def test_crc_09_versions_that_are_no_numbers_last_until_the_next_event_or_ten_seconds() -> None:
    scene = Scene(record("x"), at="x")

    scene.overlay.wrote(record("y"))
    assert scene.read() == "y"
    scene.hear(record("z"), "z")
    assert scene.read() == "z"
    scene.overlay.wrote(record("zz"))
    scene.clock.advance(LIFETIME)

    assert scene.read() == "z"


def test_crc_09_a_deletion_that_lets_the_object_end_slowly_is_not_believed_for_ever() -> None:
    scene = Scene(record("9"))

    scene.overlay.deleted(KEY, "one")
    scene.hear(record("11", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["x"]), "11")
    assert scene.read() is None
    scene.clock.advance(LIFETIME)

    assert scene.read() == "11"


def test_crc_09_what_leaves_the_range_of_the_cache_is_not_read() -> None:
    scene = Scene(record("9"))
    scene.overlay.admit = lambda _: GONE

    scene.overlay.wrote(record("12"))
    assert scene.read() is None
    scene.hear(record("14"), "14")

    assert scene.read() == "14"


def test_versions() -> None:
    assert [as_number(each) for each in ("12", "", None, "x", "-1", "٣")] == [12, None, None, None, None, None]
    assert "0 over" in repr(Scene().overlay)
