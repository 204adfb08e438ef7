"""Quantities: reading and writing are stable, arithmetic is exact."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from k8srt.apimachinery.quantity import Format, Quantity

SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "e-2", "E0"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    whole, fraction = draw(st.integers(0, 10**6)), draw(st.sampled_from(["", ".", ".5", ".25", ".001", ".123456789"]))
    return draw(st.sampled_from(["", "+", "-"])) + str(whole) + fraction + draw(st.sampled_from(SUFFIXES))


@given(texts())
def test_mach_14_the_canonical_text_reads_as_the_same_quantity(text):
    quantity = Quantity(text)
    again = Quantity(str(quantity))

    assert again == quantity
    assert str(again) == str(quantity)
    assert hash(again) == hash(quantity)


@given(texts(), texts())
def test_mach_17_order_is_by_value(one, other):
    left, right = Quantity(one), Quantity(other)

    assert (left < right) == (left.amount < right.amount)
    assert (left == right) == (left.amount == right.amount)


@given(texts(), texts())
def test_mach_19_sums_are_exact(one, other):
    left, right = Quantity(one), Quantity(other)
    assume(Format.BINARY not in (left.format, right.format) or abs(left.amount) + abs(right.amount) < 2**62)

    assert (left + right) - right == left
    assert (left + right).amount == left.amount + right.amount


@given(texts())
def test_mach_18_whole_numbers_are_the_next_away_from_zero(text):
    quantity = Quantity(text)
    whole = quantity.value()

    assert abs(whole) >= abs(quantity.amount)
    assert abs(whole) - abs(quantity.amount) < 1
    assert quantity.scaled_value(-9) == quantity.amount * 10**9
    assert isinstance(quantity.amount, Fraction)
