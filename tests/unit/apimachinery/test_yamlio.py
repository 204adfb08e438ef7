from __future__ import annotations

import pytest

from k8srt.apimachinery import yamlio
from k8srt.errors import DecodeError


@pytest.mark.parametrize(
    "text", ["y", "n", "yes", "on", "1", "1.5", "1e3", "12e03", "null", "~", "", "2026-01-02", "0x1f", "a: b"]
)
def test_mach_trap_08_texts_survive_a_round_trip_as_texts(text):
    assert yamlio.load(yamlio.dump({"v": text})) == {"v": text}
    if text in ("y", "n", "1e3"):
        assert f"'{text}'" in yamlio.dump({"v": text})


def test_dates_stay_text():
    assert yamlio.load("at: 2026-01-02T03:04:05Z") == {"at": "2026-01-02T03:04:05Z"}


def test_many_documents_and_empty_ones():
    assert list(yamlio.load_all("a: 1\n---\n---\nb: 2\n")) == [{"a": 1}, {"b": 2}]
    with pytest.raises(DecodeError, match="found 2"):
        yamlio.load("a: 1\n---\nb: 2\n")


def test_a_broken_document_names_the_line():
    with pytest.raises(DecodeError, match="line 2"):
        yamlio.load("a: 1\n b: [\n")


def places(text):
    return [(found.value, found.number, found.line) for found in yamlio.documents(text)]


def test_documents_know_which_they_are_and_where_they_begin():
    assert places("a: 1\n---\n# nothing\n---\nb: 2\n") == [({"a": 1}, 1, 1), ({"b": 2}, 3, 5)]
    assert places('{"a": 1}\n\n{"b": 2}') == [({"a": 1}, 1, 1), ({"b": 2}, 2, 3)]
    assert places("{a: 1}") == [({"a": 1}, 1, 1)]
    assert places(b"\xef\xbb\xbfa: 1") == [({"a": 1}, 1, 1)]
    assert places("") == []


def test_a_document_knows_the_lines_of_its_values():
    (document,) = yamlio.documents("a:\n  - b: 1\n    c:\n      d: x\n")

    lines = [document.line_of(path) for path in ([], ["a"], ["a", 0, "c"], ["a", 0, "c", "d"], ["a", 7, "z"])]

    assert lines == [1, 1, 3, 4, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n---\nb: [\n", "document 2, line 4, column 1: while parsing a flow node"),
        ("a: 1\n b: 2\n", "document 1, line 2, column 3: mapping values are not allowed"),
        ("a:\n\t- b\n", "document 1, line 2, column 1: .* found character that cannot start any token"),
        ("a:\n  b: 1\n  b: 2\n", "document 1, line 3, column 3: key 'b' is there twice"),
        (b"\xff\xfe", "neither YAML nor JSON"),
    ],
)
def test_a_broken_document_is_named_with_its_line(text, said):
    with pytest.raises(DecodeError, match=said):
        list(yamlio.documents(text))


def test_anchors_and_merges_are_no_repetition():
    assert places("a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\nd: *x\n") == [
        ({"a": {"b": 1}, "c": {"b": 2}, "d": {"b": 1}}, 1, 1),
    ]
