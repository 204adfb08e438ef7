"""Ages, JSON paths and cells of tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from k8srt.testing.apiserver.strategies.cells import human_duration
from k8srt.testing.apiserver.strategies.tables import column_path
from k8srt.util.jsonpath import JSONPathError


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"), (10799, "179m"), (10800, "3h"),
        (4 * 3600 + 120, "4h2m"), (8 * 3600, "8h"), (48 * 3600, "2d"), (50 * 3600, "2d2h"), (8 * 86400, "8d"),
        (730 * 86400, "2y"), (740 * 86400, "2y10d"), (9 * 365 * 86400, "9y"), (-5, "<invalid>"),
    ],
)  # fmt: skip
def test_durations_read_as_kubectl_shows_them(seconds, shown):
    assert human_duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        (".list[0].n", ["x"]),
        (".list[-1].n", ["y"]),
        (".list[*].n", ["x", "y"]),
        ('.list[?(@.n=="y")].v', [True]),
        (".notes.example\\.com/key", ["k"]),
        (r".notes['example\.com/key']", ["k"]),
        (".nothing.here", []),
        (".list[7]", []),
    ],
)
def test_columns_find_their_values(path, found):
    value = {
        "a": {"b": 1},
        "list": [{"n": "x"}, {"n": "y", "v": True}],
        "notes": {"example.com/key": "k"},
    }

    assert column_path(path)(value) == found


def test_what_is_no_path_is_refused():
    with pytest.raises(JSONPathError):
        column_path(".a[?(")
