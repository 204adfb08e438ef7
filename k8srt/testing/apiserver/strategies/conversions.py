"""Kinds that are served in a form other than the stored one: events in two groups, autoscalers in two versions.

`convert(table, obj, target)` goes from the stored form to the one served as `target`; with `source` it goes from
that form to the stored one. Objects are plain data without kind and apiVersion; the result is a new mapping.
"""

from __future__ import annotations

from typing import Any

import msgspec

JSON = dict[str, Any]

_EVENT_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_DROPPED = ("reportingController", "reportingInstance")
_CORE_NAMES = {core: new for new, core in _EVENT_NAMES.items()}


def convert(table: str, obj: JSON, target: str, *, source: str = "") -> JSON:
    if table == "events":
        return _events(obj, target, source)
    if table == "horizontalpodautoscalers.autoscaling":
        if source == "autoscaling/v1":
            return _autoscaler_up(obj)
        if target == "autoscaling/v1":
            return _autoscaler_down(obj)
    return obj


def _events(obj: JSON, target: str, source: str) -> JSON:
    """Events are stored in the core form."""
    if source == "events.k8s.io/v1":
        return {_EVENT_NAMES.get(key, key): value for key, value in obj.items()}
    if target == "events.k8s.io/v1":
        renamed = {_CORE_NAMES.get(key, key): value for key, value in obj.items()}
        return {key: value for key, value in renamed.items() if value != "" or key not in _DROPPED}
    return obj


_METRICS_NOTE = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR_NOTE = "autoscaling.alpha.kubernetes.io/behavior"
_CURRENT_NOTE = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS_NOTE = "autoscaling.alpha.kubernetes.io/conditions"
_CPU = "targetCPUUtilizationPercentage"


def _cpu_metric(percent: int) -> JSON:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _is_cpu(metric: JSON) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return bool(resource.get("name") == "cpu" and target.get("averageUtilization") is not None)


def _autoscaler_up(obj: JSON) -> JSON:
    """autoscaling/v1 → v2: what v1 has no field for travels in annotations."""
    meta = dict(obj.get("metadata") or {})
    notes = dict(meta.get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics = _unpack(notes.pop(_METRICS_NOTE, None)) or []
    percent = spec.pop(_CPU, None)
    if percent is not None:
        metrics = [_cpu_metric(percent), *metrics]
    if metrics:
        spec["metrics"] = metrics
    behavior = _unpack(notes.pop(_BEHAVIOR_NOTE, None))
    if behavior:
        spec["behavior"] = behavior
    if not status.get("currentReplicas"):
        status.pop("currentReplicas", None)
    current = status.pop("currentCPUUtilizationPercentage", None)
    status["currentMetrics"] = _unpack(notes.pop(_CURRENT_NOTE, None))
    if current is not None:
        usage = {"averageUtilization": current, "averageValue": "0"}
        status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": usage}}]
    conditions = _unpack(notes.pop(_CONDITIONS_NOTE, None))
    if conditions:
        status["conditions"] = conditions
    return {**obj, "metadata": _with_notes(meta, notes), "spec": spec, "status": status}


def _autoscaler_down(obj: JSON) -> JSON:
    meta = dict(obj.get("metadata") or {})
    notes = dict(meta.get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics = list(spec.pop("metrics", None) or [])
    cpu = next((metric for metric in metrics if _is_cpu(metric)), None)
    if cpu is not None:
        metrics.remove(cpu)
        spec[_CPU] = cpu["resource"]["target"]["averageUtilization"]
    for note, value in ((_METRICS_NOTE, metrics), (_BEHAVIOR_NOTE, spec.pop("behavior", None))):
        if value:
            notes[note] = msgspec.json.encode(value).decode()
    status.pop("currentMetrics", None)
    conditions = status.pop("conditions", None)
    if conditions:
        notes[_CONDITIONS_NOTE] = msgspec.json.encode(conditions).decode()
    status.setdefault("currentReplicas", 0)
    return {**obj, "metadata": _with_notes(meta, notes), "spec": spec, "status": status}


def _with_notes(meta: JSON, notes: JSON) -> JSON:
    meta.pop("annotations", None)
    return {**meta, "annotations": notes} if notes else meta


def _unpack(text: str | None) -> Any:
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
