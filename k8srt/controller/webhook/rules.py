"""What a webhook is registered for, and under which path it is served.

Contract: ADM-07, ADM-11, ADM-12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.kinds import info_of

_PATH = re.compile(r"(/[a-zA-Z0-9\-_]+)+|/")
FAIL, IGNORE = "Fail", "Ignore"
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT", "*")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")


def mutate_path(kind: type[Object] | GroupVersionKind) -> str:
    """Where a defaulter of a kind is served by default."""
    return _path("mutate", kind)


def validate_path(kind: type[Object] | GroupVersionKind) -> str:
    """Where a validator of a kind is served by default."""
    return _path("validate", kind)


def _path(verb: str, kind: type[Object] | GroupVersionKind) -> str:
    gvk = kind if isinstance(kind, GroupVersionKind) else info_of(kind).gvk
    return f"/{verb}-{gvk.group.replace('.', '-')}-{gvk.version}-{gvk.kind.lower()}"


def check_path(path: str) -> str:
    """The same path. Raises ValueError for one of another form."""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise ValueError(f"path: {path!r} must be '/', or words of letters, digits, '-' and '_' after slashes")
    return path


@dataclass(frozen=True)
class HookRules:
    """What a webhook is asked about, and how. Raises ValueError for what no server takes.

    `timeout` is in whole seconds, 1 to 30. `object_selector` and `namespace_selector` are labels (`{"app": "web"}`), or
    a label selector in its form in the API. `failure_policy` says what becomes of a write when nobody answers.
    """

    mutating: bool
    groups: tuple[str, ...]
    versions: tuple[str, ...]
    resources: tuple[str, ...]
    operations: tuple[str, ...] = ("CREATE", "UPDATE")
    name: str = ""
    scope: str = "*"
    failure_policy: str = FAIL
    side_effects: str = "None"
    timeout: int = 10
    match_policy: str = "Equivalent"
    reinvocation_policy: str = "Never"
    object_selector: Mapping[str, Any] = field(default_factory=dict)
    namespace_selector: Mapping[str, Any] = field(default_factory=dict)
    match_conditions: tuple[Mapping[str, str], ...] = ()

    def __post_init__(self) -> None:
        for operation in self.operations:
            _one_of("operations", operation, _OPERATIONS)
        _one_of("failure_policy", self.failure_policy, (FAIL, IGNORE))
        _one_of("side_effects", self.side_effects, _SIDE_EFFECTS)
        _one_of("match_policy", self.match_policy, ("Equivalent", "Exact"))
        _one_of("reinvocation_policy", self.reinvocation_policy, ("Never", "IfNeeded"))
        _one_of("scope", self.scope, ("*", "Namespaced", "Cluster"))
        if not self.operations or not self.resources:
            raise ValueError("a webhook is for some operations on some resources")
        if not isinstance(self.timeout, int) or not 1 <= self.timeout <= 30:
            raise ValueError(f"timeout: 1 to 30 whole seconds, not {self.timeout!r}")

    def check_safe(self) -> None:
        """Raises ValueError for rules with which a webhook that is down can bring down the cluster: ADM-12."""
        if "*" in self.groups or any(each in ("*", "*/*") for each in self.resources):
            raise ValueError(
                f"webhook {self.name}: for all kinds: when it is down, nothing in the cluster can be changed, also not "
                "what would bring it up again; pass i_know=True if that is wanted"
            )
        if "coordination.k8s.io" in self.groups and "leases" in self.resources:
            raise ValueError(
                f"webhook {self.name}: for leases: when it is down, nodes and leaders are lost; "
                "pass i_know=True if that is wanted"
            )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: one of {', '.join(known)}, not {value!r}")


def rules_for(
    kind: type[Object], *, mutating: bool, operations: Iterable[str] = ("CREATE", "UPDATE"), **options: Any
) -> HookRules:
    """The rules of a webhook for one kind; `options` are the other fields of `HookRules`."""
    info = info_of(kind)
    operations = (operations,) if isinstance(operations, str) else operations
    verb = "default" if mutating else "validation"
    known = {
        "groups": (info.gvk.group,),
        "versions": (info.gvk.version,),
        "resources": (info.resource,),
        "scope": "Namespaced" if info.namespaced else "Cluster",
        "name": f"{verb}.{info.gvk.kind.lower()}.{info.gvk.version}.{info.gvk.group or 'core.k8s.io'}",
    }
    return HookRules(mutating, operations=tuple(operations), **{**known, **options})
