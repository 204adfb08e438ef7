"""Rules of names: what a name, a label, an annotation key, a finalizer may look like, and what is said if not."""

from __future__ import annotations

from collections.abc import Callable

from k8srt.apimachinery.names import dns_1035_label_errors as label_1035
from k8srt.apimachinery.names import dns_label_errors as label
from k8srt.apimachinery.names import dns_subdomain_errors as subdomain
from k8srt.apimachinery.names import label_value_errors as label_value
from k8srt.apimachinery.names import qualified_name_errors as qualified_name
from k8srt.apimachinery.names import too_long
from k8srt.testing.apiserver.failures import Cause, invalid_value

__all__ = ["RULES", "label", "label_1035", "label_causes", "label_value", "qualified_name", "subdomain"]


def service(name: str) -> list[str]:
    if "." in name:
        return ["must not contain dots"]
    return label(name)


def path_segment(name: str) -> list[str]:
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in name]


def cron_job(name: str) -> list[str]:
    return subdomain(name) + ([too_long(52)] if len(name) > 52 else [])


RULES: dict[str, Callable[[str], list[str]]] = {
    "subdomain": subdomain,
    "label": label,
    "label-1035": label_1035,
    "service": service,
    "segment": path_segment,
    "cron-job": cron_job,
}


def label_causes(labels: dict[str, str], path: str) -> list[Cause]:
    causes = []
    for key, value in labels.items():
        causes += [invalid_value(path, key, text) for text in qualified_name(key)]
        causes += [invalid_value(path, value, text) for text in label_value(value)]
    return causes
