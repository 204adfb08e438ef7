"""The ring: who owns which key, the same everywhere and always."""

from __future__ import annotations

from collections import Counter

import pytest

from k8srt.controller.sharding.hashring import TOKENS, HashRing, hash64

KEYS = [f"apps/Deployment/default/web-{n}" for n in range(5000)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0xE4A6A0577479B2B4),
        ("foo-0#0", 0x6646C10A0111CC00),
        ("apps/Deployment/default/web", 0xE7DEB3D1FEA93C52),
        ("/Node//node-1", 0x718D21F8D4C2CEDE),
        ("äöü", 0xE644967826D6CE75),
    ],
)
def test_shd_02_the_hash_is_the_same_in_every_process_and_version(text: str, number: int) -> None:
    assert hash64(text) == number


def test_shd_02_so_is_who_owns_what() -> None:
    ring = HashRing(["foo-0", "foo-1", "foo-2"])

    owners = [ring.owner(f"/ConfigMap/default/c{n}") for n in range(6)]

    assert TOKENS == 100
    assert owners == ["foo-2", "foo-0", "foo-2", "foo-0", "foo-0", "foo-0"]
    assert HashRing(["foo-2", "foo-1", "foo-0"]).owner("/ConfigMap/default/c1") == "foo-0"


def test_shd_02_without_shards_nobody_owns_anything_and_one_owns_all() -> None:
    assert HashRing().owner("any") == ""
    assert {HashRing(["a"]).owner(key) for key in KEYS[:50]} == {"a"}
    assert repr(HashRing()) == "<HashRing of nobody>"
    assert repr(HashRing(["b", "a"])) == "<HashRing of a, b>"


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_shd_07_another_shard_takes_its_part_and_only_that(n: int) -> None:
    before, after = HashRing(f"foo-{i}" for i in range(n)), HashRing(f"foo-{i}" for i in range(n + 1))

    moved = [key for key in KEYS if before.owner(key) != after.owner(key)]

    assert {after.owner(key) for key in moved} == {f"foo-{n}"}
    assert 0.6 / (n + 1) < len(moved) / len(KEYS) < 1.5 / (n + 1)


def test_shd_07_the_parts_are_of_about_the_same_size() -> None:
    ring = HashRing(f"foo-{i}" for i in range(5))

    counts = Counter(map(ring.owner, KEYS))

    assert len(counts) == 5
    assert max(counts.values()) < 2 * min(counts.values())
