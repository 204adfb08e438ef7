"""How far a rollout may go at once."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.intstr import get_scaled_value_from_int_or_percent


def limits(rolling: dict[str, Any], total: int) -> tuple[int, int]:
    """How many more than `total` there may be, and how many fewer available; never both none."""
    surge = get_scaled_value_from_int_or_percent(rolling.get("maxSurge", 0), total, True)
    missing = get_scaled_value_from_int_or_percent(rolling.get("maxUnavailable", 0), total, False)
    return (surge, missing) if surge or missing else (0, 1)
