"""Selectors: what is written can be read, and matching agrees with the plain meaning of the words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8srt.apimachinery import fields, labels
from k8srt.apimachinery.labels import Operator, Requirement, Selector

KEYS = st.sampled_from(["a", "b", "in", "notin", "example.com/x"])
VALUES = st.sampled_from(["", "1", "2", "10", "x", "in", "A.b_c"])
NUMBERS = st.sampled_from(["0", "2", "10"])
LABELS = st.dictionaries(KEYS, VALUES)


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    operator = draw(st.sampled_from(list(Operator)))
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
        values: list[str] = []
    elif operator in (Operator.GREATER_THAN, Operator.LESS_THAN):
        values = [draw(NUMBERS)]
    elif operator in (Operator.IN, Operator.NOT_IN):
        values = draw(st.lists(VALUES, min_size=1, max_size=3))
    else:
        values = [draw(VALUES)]
    return labels.requirement(draw(KEYS), operator, values)


SELECTORS = st.lists(requirements(), max_size=4).map(Selector)


@given(SELECTORS)
def test_mach_03_what_is_written_reads_the_same(selector):
    assert labels.parse(str(selector)) == selector


@given(SELECTORS, LABELS)
def test_mach_02_a_selector_matches_if_every_requirement_does(selector, found):
    assert selector.matches(found) == all(each.matches(found) for each in selector.requirements)


@given(KEYS, st.lists(VALUES, min_size=1), LABELS)
def test_mach_02_notin_is_the_opposite_of_in(key, values, found):
    one = labels.requirement(key, Operator.IN, values)
    other = labels.requirement(key, Operator.NOT_IN, values)

    assert one.matches(found) != other.matches(found)


@given(LABELS, LABELS)
def test_mach_07_a_set_matches_what_contains_it(wanted, found):
    assert labels.from_set(wanted).matches(found) == (wanted.items() <= found.items())


@given(st.text(alphabet="ab=!,()<>in \t", max_size=20))
def test_mach_04_no_text_surprises_the_parser(text):
    try:
        selector = labels.parse(text)
    except labels.SelectorError:
        return
    assert labels.parse(str(selector)) == selector


@given(st.dictionaries(st.from_regex(r"[a-z.]{1,8}", fullmatch=True), st.text(alphabet="ab,=\\! ", max_size=6)))
def test_mach_10_any_value_can_be_written_as_a_field_selector(wanted):
    selector = fields.from_set(wanted)

    assert fields.parse(str(selector)) == selector
    assert selector.matches(wanted)
