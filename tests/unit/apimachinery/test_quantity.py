from __future__ import annotations

import pickle
from fractions import Fraction

import pytest

from k8srt.apimachinery import intstr
from k8srt.apimachinery.quantity import Quantity, QuantityError, canonical


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.5", "1500m"),
        ("1000", "1k"),
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("0", "0"),
        ("0Ki", "0"),
        ("-1", "-1"),
        ("+1", "1"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("1000e-3", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("5.", "5"),
        ("100E", "100E"),
        ("1000E", "1000E"),
        ("123450", "123450"),
        ("100000", "100k"),
    ],
)
def test_mach_13_14_texts_are_canonical_and_keep_their_family(text, written):
    assert str(Quantity(text)) == written
    assert str(Quantity(written)) == written


@pytest.mark.parametrize(
    "text", ["", "1 k", "Ki", "1KB", "1ki", "--1", "1e", "1.2.3", "1E2E", "0x1", ".", "e3", "1i", "١", "inf", "nan"]
)
def test_mach_13_what_is_no_quantity(text):
    with pytest.raises(QuantityError, match="quantities must match the regular expression"):
        Quantity(text)


@pytest.mark.parametrize(
    ("text", "written"), [("0.5Ki", "512"), ("0.1Ki", "102400m"), ("1.5Ki", "1536"), ("1023", "1023"), ("1Ki", "1Ki")]
)
def test_mach_15_small_and_odd_binary_amounts(text, written):
    assert str(Quantity(text)) == written


def test_mach_16_precision():
    assert str(Quantity("1.1n")) == "2n"
    assert str(Quantity("-1.1n")) == "-2n"
    assert str(Quantity("10Ei")) == str(2**63 - 1)


def test_mach_17_equality_order_and_hash_are_by_value():
    assert Quantity("1000m") == Quantity("1") == 1
    assert Quantity("1Ki") == Quantity("1024")
    assert hash(Quantity("1Ki")) == hash(Quantity("1024")) == hash(1024)
    assert Quantity("500m") == Fraction(1, 2)
    assert Quantity("1Mi") > Quantity("1M") > 999_999
    assert sorted(map(Quantity, ["1Gi", "1m", "1k"])) == [Quantity("1m"), Quantity("1k"), Quantity("1Gi")]
    assert Quantity("1") != "1"


def test_mach_18_whole_numbers_are_rounded_up():
    assert Quantity("1500m").value() == 2
    assert Quantity("1.0001").milli_value() == 1001
    assert Quantity("-1500m").value() == -2
    assert Quantity("1234").scaled_value(2) == 13
    assert Quantity("1500m").as_int64() is None
    assert Quantity("1.5k").as_int64() == 1500
    assert Quantity("100E").as_int64() is None


def test_mach_19_sums_keep_the_family_of_the_left():
    assert str(Quantity("1Gi") + Quantity("1G")) == "2073741824"
    assert str(Quantity("1Gi") + "512Mi") == "1536Mi"
    assert str(Quantity(0) + Quantity("2Ki")) == "2Ki"
    assert str(Quantity("1") - "1500m") == "-500m"
    assert str(-Quantity("1Ki")) == "-1Ki"


def test_mach_20_as_json():
    assert canonical("0.5") == "500m"
    assert canonical(2) == "2"
    assert canonical(0.1) == "100m"
    assert canonical(None) == "0"
    assert canonical(" 1 ") == "1"


def test_quantities_are_values():
    quantity = Quantity("1.5Gi")

    assert pickle.loads(pickle.dumps(quantity)) == quantity
    assert str(pickle.loads(pickle.dumps(quantity))) == "1536Mi"
    assert repr(quantity) == "Quantity('1536Mi')"
    assert not Quantity("0Ki")
    assert Quantity("-1").sign == -1


def test_mach_21_a_number_or_a_text():
    assert intstr.parse("5") == 5
    assert intstr.parse("5%") == "5%"
    assert intstr.parse("99999999999") == "99999999999"
    assert intstr.int_value("80") == 80
    assert intstr.int_value("http") == 0
    assert intstr.int_value(7) == 7


def test_mach_22_percentages():
    scaled = intstr.get_scaled_value_from_int_or_percent

    assert scaled(5, 100, True) == 5
    assert scaled("30%", 7, True) == 3
    assert scaled("30%", 7, False) == 2
    assert scaled("-30%", 7, False) == -3
    for wrong in ("30", "0.5%", "x%", None):
        with pytest.raises(ValueError, match="IntOrString"):
            scaled(wrong, 10, True)
