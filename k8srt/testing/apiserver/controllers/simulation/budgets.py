"""Disruption budgets: how many pods may be evicted at the moment."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery import labels
from k8srt.apimachinery.intstr import get_scaled_value_from_int_or_percent
from k8srt.testing.apiserver.controllers.simulation.pods import active, going, ready, with_condition
from k8srt.testing.apiserver.controllers.simulation.world import TABLES, Key, World, controller_of

JSON = dict[str, Any]
_WHO = "disruption-controller"
_FORGET = 120.0  # seconds after which an eviction that did not come about no longer counts


def reconcile(world: World, key: Key, budget: JSON | None) -> None:
    if budget is None or going(budget):
        return
    selector = budget["spec"].get("selector")
    chooses = labels.label_selector_as_selector(selector) if selector is not None else labels.nothing()
    pods = [
        pod
        for pod in world.all("pods", key.namespace)
        if active(pod) and chooses.matches(pod["metadata"].get("labels") or {})
    ]
    before = budget.get("status") or {}
    disrupted = {
        name: when
        for name, when in (before.get("disruptedPods") or {}).items()
        if world.seconds_since(when) < _FORGET and any(pod["metadata"]["name"] == name for pod in pods)
    }
    healthy = sum(ready(pod) and pod["metadata"]["name"] not in disrupted for pod in pods)
    expected, wanted = _wanted(world, budget["spec"], pods)
    allowed = max(healthy - wanted, 0) if expected else 0
    status: JSON = {
        "currentHealthy": healthy,
        "desiredHealthy": wanted,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
    if disrupted:
        status["disruptedPods"] = disrupted
    told = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    conditions = with_condition(
        list(before.get("conditions") or ()), "DisruptionAllowed", told[0], told[1], "", world.now()
    )
    generation = budget["metadata"].get("generation", 1)
    status["conditions"] = [{**each, "observedGeneration": generation} for each in conditions]
    world.set_status(budget, status, _WHO)


def _wanted(world: World, spec: JSON, pods: list[JSON]) -> tuple[int, int]:
    """How many pods there should be, and how many of them healthy."""
    if spec.get("maxUnavailable") is not None:
        expected = _expected(world, pods)
        missing = get_scaled_value_from_int_or_percent(spec["maxUnavailable"], expected, True)
        return expected, max(expected - missing, 0)
    least = spec.get("minAvailable", 1)
    expected = _expected(world, pods) if isinstance(least, str) else len(pods)
    return expected, get_scaled_value_from_int_or_percent(least, expected, True)


def _expected(world: World, pods: list[JSON]) -> int:
    """How many pods their controllers are asked for."""
    found: dict[str, int] = {}
    for pod in pods:
        ref = controller_of(pod)
        if ref is None or ref["kind"] not in TABLES:
            continue
        owner = world.get(TABLES[ref["kind"]], pod["metadata"]["namespace"], ref["name"])
        if owner is not None:
            found[ref["uid"]] = owner["spec"].get("replicas", 1)
    return sum(found.values())
