"""LimitRanges: defaults for containers, and bounds that refuse pods."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.failures import forbidden
from k8srt.testing.apiserver.strategies.resources import amount
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_ANNOTATION = "kubernetes.io/limit-ranger"


def apply_limit_ranges(pod: JSON, write: Write) -> None:
    """Fill in the defaults of the namespace's LimitRanges, then hold the pod against their bounds."""
    ranges = [stored.decode() for stored in write.cluster.storage.page("limitranges", write.namespace).items]
    notes: list[str] = []
    items = [item for each in ranges for item in (each.get("spec") or {}).get("limits") or []]
    for item in items:
        if item.get("type") == "Container":
            for kind, container in _containers(pod):
                notes += _fill(container, kind, item)
    if notes:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations.setdefault(_ANNOTATION, "LimitRanger plugin set: " + "; ".join(notes))
    for item in items:
        if item.get("type") == "Container":
            for _, container in _containers(pod):
                _check(pod, container, item)


def _containers(pod: JSON) -> list[tuple[str, JSON]]:
    spec = pod["spec"]
    plain = [("container", each) for each in spec.get("containers") or []]
    return plain + [("init container", each) for each in spec.get("initContainers") or []]


def _fill(container: JSON, kind: str, item: JSON) -> list[str]:
    resources = container.setdefault("resources", {})
    notes = []
    for part, source, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        present = resources.get(part) or {}
        added = {name: value for name, value in (item.get(source) or {}).items() if name not in present}
        if added:
            resources[part] = {**present, **added}
            shown = ", ".join(sorted(added))
            notes.append(f"{shown} {word} for {kind} {container.get('name', '')}")
    return notes


def _check(pod: JSON, container: JSON, item: JSON) -> None:
    resources = container.get("resources") or {}
    problems = []
    for name, most in sorted((item.get("max") or {}).items()):
        limit = (resources.get("limits") or {}).get(name)
        if limit is None:
            problems.append(f"maximum {name} usage per Container is {most}.  No limit is specified")
        elif amount(limit) > amount(most):
            problems.append(f"maximum {name} usage per Container is {most}, but limit is {limit}")
    for name, least in sorted((item.get("min") or {}).items()):
        request = (resources.get("requests") or {}).get(name)
        if request is None:
            problems.append(f"minimum {name} usage per Container is {least}.  No request is specified")
        elif amount(request) < amount(least):
            problems.append(f"minimum {name} usage per Container is {least}, but request is {request}")
    if problems:
        why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden("", "pods", pod["metadata"].get("name", ""), why)
