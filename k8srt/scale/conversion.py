"""Scales of all the kinds there have been, as autoscaling/v1 and back.

They differ in the status only: the old ones have the selector as a map, and, where a map cannot say it, as a text
beside it. Contract: CLI-28.
"""

from __future__ import annotations

from typing import Any

from k8srt.api.autoscaling.v1 import Scale
from k8srt.apimachinery import labels
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.errors import DecodeError

CURRENT = GroupVersionKind("autoscaling", "v1", "Scale")
KNOWN = frozenset(
    {
        CURRENT,
        GroupVersionKind("apps", "v1beta1", "Scale"),
        GroupVersionKind("apps", "v1beta2", "Scale"),
        GroupVersionKind("extensions", "v1beta1", "Scale"),
    }
)

JSON = dict[str, Any]


def from_wire(document: JSON, about: str) -> Scale:
    """A scale of any known kind as autoscaling/v1. Raises DecodeError for something else."""
    try:
        kind = GroupVersionKind.of(document.get("apiVersion") or "", document.get("kind") or "")
    except ValueError:
        kind = None
    if kind not in KNOWN:
        raise DecodeError(f"{about}: expected a scale, got {document.get('apiVersion')} {document.get('kind')}")
    made = {**document, "apiVersion": CURRENT.api_version}
    if kind != CURRENT and (status := document.get("status")):
        made["status"] = _current_status(status)
    return Scale.from_dict(made)


def to_wire(scale: Scale, kind: GroupVersionKind) -> JSON:
    """An autoscaling/v1 scale as the kind that a server wants."""
    made = {**scale.to_dict(), "apiVersion": kind.api_version, "kind": kind.kind}
    if kind != CURRENT and (status := made.get("status")):
        made["status"] = _old_status(status)
    return made


def _current_status(status: JSON) -> JSON:
    kept = {key: value for key, value in status.items() if key not in ("selector", "targetSelector")}
    selector = status.get("targetSelector") or str(labels.from_set(status.get("selector")))
    return {**kept, "selector": selector} if selector else kept


def _old_status(status: JSON) -> JSON:
    text = status.get("selector") or ""
    kept = {key: value for key, value in status.items() if key != "selector"}
    if not text:
        return kept
    made = {**kept, "targetSelector": text}
    selector = labels.parse(text)
    exact = {each.key: selector.requires_exact_match(each.key) for each in selector.requirements}
    if None not in exact.values():
        made["selector"] = exact
    return made
