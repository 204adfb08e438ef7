"""Requests and limits of containers: comparing them, and the quality of service that follows."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.quantity import Quantity

JSON = dict[str, Any]
_COUNTED = ("cpu", "memory")


def amount(text: Any) -> Quantity:
    """A quantity, to compare with others."""
    return Quantity(text)


def quality_of_service(spec: JSON) -> str:
    """Guaranteed, Burstable or BestEffort, by what the containers ask for."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    asked, guaranteed = False, True
    for container in containers:
        resources = container.get("resources") or {}
        requests, limits = _counted(resources.get("requests")), _counted(resources.get("limits"))
        asked = asked or bool(requests or limits)
        effective = {**limits, **requests}
        if set(limits) != set(_COUNTED) or effective != limits:
            guaranteed = False
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _counted(amounts: Any) -> dict[str, Quantity]:
    found = {name: amount(value) for name, value in (amounts or {}).items() if name in _COUNTED}
    return {name: value for name, value in found.items() if value}
