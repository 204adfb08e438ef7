"""Figures as text: the format of Prometheus, and OpenMetrics for those who ask for it. Contract: MSV-06."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from k8srt.controller.metrics.instruments import Sample, Snapshot, number

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_QUALITY = re.compile(r"q=([0-9.]+)")


def wants_open_metrics(accept: str) -> bool:
    """Whether an `Accept` header likes OpenMetrics better than plain text."""
    best = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.split(","):
        media, *parameters = [each.strip().lower() for each in part.split(";")]
        if media in best:
            quality = next((float(found[1]) for each in parameters if (found := _QUALITY.fullmatch(each))), 1.0)
            best[media] = max(best[media], quality)
    return best["application/openmetrics-text"] > 0.0 and (best["application/openmetrics-text"] >= best["text/plain"])


def render(families: Sequence[Snapshot], *, open_metrics: bool = False) -> str:
    """The whole text of a scrape. Families without a series are left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += _family(family, open_metrics)
    return "\n".join([*lines, "# EOF", ""] if open_metrics else [*lines, ""])


def _family(family: Snapshot, open_metrics: bool) -> Iterable[str]:
    name, suffix, kind = family.name, "", family.kind
    if open_metrics and kind == "counter":
        if name.endswith("_total"):
            name, suffix = name.removesuffix("_total"), "_total"
        else:
            kind = "unknown"
    yield f"# HELP {name} {_escaped(family.help, quotes=open_metrics)}"
    yield f"# TYPE {name} {kind}"
    for sample in family.samples:
        yield f"{name}{suffix}{sample.suffix}{_labels(sample, open_metrics)} {number(sample.value)}"


def _labels(sample: Sample, open_metrics: bool) -> str:
    if not sample.labels:
        return ""
    pairs = ((name, _bound(value) if open_metrics and name == "le" else value) for name, value in sample.labels)
    return "{" + ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in pairs) + "}"


def _bound(value: str) -> str:
    """OpenMetrics wants bounds to look like floats."""
    return f"{value}.0" if value.isdigit() else value


def _escaped(text: str, *, quotes: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text
