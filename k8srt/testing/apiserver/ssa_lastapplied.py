"""The annotation of client-side apply, where server-side apply takes over from it. Only for the manager "kubectl"."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from k8srt.testing.apiserver.ssa_compare import compare
from k8srt.testing.apiserver.ssa_walk import field_set

if TYPE_CHECKING:
    from k8srt.testing.apiserver.ssa_updater import ApplyConflict, Updater

JSON = dict[str, Any]

KUBECTL = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_LIMIT = 256 * 1024


def _annotations(document: JSON) -> JSON:
    return (document.get("metadata") or {}).get("annotations") or {}


def allows(conflict: ApplyConflict, live: JSON, updater: Updater) -> bool:
    """Whether every conflicting field was set by client-side apply and has not changed since."""
    try:
        config = json.loads(_annotations(live).get(ANNOTATION, ""))
    except ValueError:
        return False
    if not isinstance(config, dict) or config.get("apiVersion") != updater.api_version:
        return False
    structure = updater.versions.structure(updater.api_version)
    found = compare(config, live, structure)
    kept = field_set(config, structure).difference(found.modified).difference(found.added).difference(found.removed)
    return conflict.fields.difference(kept).empty


def refreshed(merged: JSON, config: JSON) -> JSON:
    """The object with the annotation, if it has one, brought up to what was applied."""
    annotations = _annotations(merged)
    if ANNOTATION not in annotations:
        return merged
    text = json.dumps(_without_annotation(config), separators=(",", ":"), ensure_ascii=False, sort_keys=True) + "\n"
    kept = {key: value for key, value in annotations.items() if key != ANNOTATION}
    if len(text.encode()) + sum(len(key) + len(str(value)) for key, value in kept.items()) <= _LIMIT:
        kept[ANNOTATION] = text
    return {**merged, "metadata": {**merged["metadata"], "annotations": kept}}


def _without_annotation(config: JSON) -> JSON:
    annotations = _annotations(config)
    if ANNOTATION not in annotations:
        return config
    kept = {key: value for key, value in annotations.items() if key != ANNOTATION}
    return {**config, "metadata": {**config["metadata"], "annotations": kept}}
