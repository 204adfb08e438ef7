from __future__ import annotations

import pytest

from k8srt.apimachinery import fields
from k8srt.apimachinery.fields import parse
from k8srt.apimachinery.labels import SelectorError


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a=b", "a=b"),
        ("a==b", "a=b"),
        ("a!=b", "a!=b"),
        ("c=d,a=b", "a=b,c=d"),
        (",a=b,,", "a=b"),
        ("a=", "a="),
        (r"a=x\,y\=z\\", r"a=x\,y\=z\\"),
        ("", ""),
    ],
)
def test_mach_10_terms_are_read_and_written(text, written):
    assert str(parse(text)) == written
    assert parse(written) == parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name in (a,b)", "invalid selector: 'metadata.name in (a,b)'; can't understand 'b)'"),
        ("a=b=c", "invalid field selector: unescaped character in value: b=c"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_mach_10_errors(text, message):
    with pytest.raises(SelectorError) as caught:
        parse(text)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a=x", True), ("a=y", False), ("a!=y", True), ("b=", True), ("b!=x", True), ("b!=", False), ("", True)],
)
def test_mach_11_an_absent_field_equals_the_empty_text(text, expected):
    assert parse(text).matches({"a": "x"}) is expected
    assert parse(text).matches(lambda name: {"a": "x"}.get(name, "")) is expected


def test_mach_11_the_empty_selector_matches_all():
    assert parse("").empty
    assert fields.everything().matches({})


def test_mach_12_one_term():
    selector = fields.one_term_equal_selector("metadata.name", "a,b")

    assert str(selector) == r"metadata.name=a\,b"
    assert parse(str(selector)) == selector
    assert selector.requires_exact_match("metadata.name") == "a,b"
    assert selector.requires_exact_match("metadata.namespace") is None


def test_terms_can_be_changed_dropped_and_refused():
    selector = parse("name=x,drop=y")

    changed = selector.transform(lambda name, value: ("", "") if name == "drop" else (f"metadata.{name}", value))

    assert str(changed) == "metadata.name=x"


def test_clients_may_write_a_selector_in_any_form():
    expected = parse("a=b")

    assert fields.as_field_selector("a=b") == expected
    assert fields.as_field_selector({"a": "b"}) == expected
    assert fields.as_field_selector(expected) is expected
    assert fields.as_field_selector(None).empty
    assert {expected: 1}[parse("a==b")] == 1
