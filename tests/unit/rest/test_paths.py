"""Paths, queries, durations."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.schema import GroupVersion
from k8srt.rest import paths


@pytest.mark.parametrize(
    ("api_path", "version", "path"),
    [
        ("", "v1", "/api/v1"),
        ("", "apps/v1", "/apis/apps/v1"),
        ("/custom", "apps/v1", "/custom/apps/v1"),
        ("api", "v1", "/api/v1"),
    ],
)
def test_rest_03_versioned_paths(api_path: str, version: str, path: str) -> None:
    assert paths.versioned_path(api_path, GroupVersion.parse(version)) == path


@pytest.mark.parametrize(
    ("segments", "path"),
    [(("/a/", "/b"), "/a/b"), (("a", "", "b"), "a/b"), ((), ""), (("//a", "./b", "c/../d"), "/a/b/d")],
)
def test_rest_11_single_slashes(segments: tuple[str, ...], path: str) -> None:
    assert paths.join(*segments) == path


def test_rest_12_segments() -> None:
    for bad in (".", "..", "a/b", "a%2fb"):
        assert paths.check_segment("name", bad)
    for good in ("a.b", "...", "system:node:x", ""):
        assert paths.check_segment("name", good) is None


def test_rest_14_queries_are_sorted_by_key_and_keep_every_value() -> None:
    assert paths.query({"b": ["2", "1"], "a": ["x y&z"]}) == "a=x+y%26z&b=2&b=1"


def test_mach_46_options_have_their_wire_names_and_no_zeros() -> None:
    options = {
        "label_selector": "a=b",
        "field_selector": "",
        "continue_": "t",
        "limit": 0,
        "timeout_seconds": 5,
        "allow_watch_bookmarks": True,
        "watch": False,
        "resource_version": "0",
        "command": ["ls", "-l"],
    }

    assert paths.options(options) == {
        "labelSelector": ["a=b"],
        "continue": ["t"],
        "timeoutSeconds": ["5"],
        "allowWatchBookmarks": ["true"],
        "resourceVersion": ["0"],
        "command": ["ls", "-l"],
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (3605.5, "1h0m5.5s"),
        (0.5, "500ms"),
        (1.25, "1.25s"),
        (0.0015, "1.5ms"),
        (0.000002, "2µs"),
        (59.999, "59.999s"),
        (-90, "-1m30s"),
    ],
)
def test_rest_15_durations_as_go_prints_them(seconds: float, text: str) -> None:
    assert paths.go_duration(seconds) == text
