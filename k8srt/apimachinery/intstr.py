"""Fields that are a number or a text: ports, percentages. The value is a plain `int | str`.

Contract: MACH-21, MACH-22.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from k8srt.apimachinery._requirement import parse_int64

IntOrString = int | str


def parse(text: str) -> IntOrString:
    """A number if the text is one of 32 bits, else the text."""
    number = parse_int64(text)
    return text if number is None or not -(2**31) <= number < 2**31 else number


def int_value(value: IntOrString) -> int:
    """The value as a number; 0 for a text that is none."""
    return value if isinstance(value, int) else parse_int64(value) or 0


def get_scaled_value_from_int_or_percent(value: IntOrString | None, total: int, round_up: bool) -> int:
    """A number as it is, a percentage of `total` rounded up or down. Raises ValueError for all else."""
    if value is None:
        raise ValueError("nil value for IntOrString")
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    percent = parse_int64(value[:-1])
    if percent is None:
        raise ValueError(f'invalid value for IntOrString: invalid value "{value}": not a whole percentage')
    share = Fraction(percent * total, 100)
    return ceil(share) if round_up else floor(share)
