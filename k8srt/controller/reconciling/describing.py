"""What a controller is made of, to be read by people and by `k8srt rbac`.

Contract: BLD-06.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.controller.kinds import form_of, gvk_of

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")
KEEP = ("list", "watch", "create", "patch", "delete")


@dataclass
class Description:
    """Filled by the builder; what is not built that way says what is added here."""

    name: str
    kind: Any = None
    only_metadata: bool = False
    owns: list[Any] = field(default_factory=list)
    watches: list[Any] = field(default_factory=list)
    raw_sources: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    uses: list[tuple[Any, tuple[str, ...], str]] = field(default_factory=list)  # kind, verbs, part
    dependents: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)  # kind, or None; and what is told of it
    finalizer: str = ""  # of the workflow, or of daemons
    clientset: Any = field(default=None, repr=False)  # asked about kinds of which there is no class

    def rules(self) -> list[dict[str, list[str]]]:
        """The rules of a role: reading all that is watched, writing what is owned, and the status and the finalizers
        of the kind itself. Where its author has said what a reconciler uses, it is that and what is watched."""
        found: dict[tuple[str, str], set[str]] = {}
        self._allow_dependents(found)
        if self.uses:
            self._allow_exactly(found)
            return _as_rules(found)
        for kind in self.watches:
            self._allow(found, kind, READ)
        for kind in self.owns:
            self._allow(found, kind, (*READ, *WRITE))
        if self.kind is not None:
            self._allow(found, self.kind, (*READ, "update", "patch"))
            self._allow(found, self.kind, ("get", "update", "patch"), "/status")
            self._allow(found, self.kind, ("update",), "/finalizers")
        return _as_rules(found)

    def _allow_dependents(self, found: dict[tuple[str, str], set[str]]) -> None:
        """What keeping them takes, which is known. Contract: DEP-01, BLD-07."""
        for kind, told in self.dependents:
            if kind is not None:
                self._allow(found, kind, KEEP)
            if kind is not None and told["delete"] == "owner":
                self._allow(found, self.kind, ("update",), "/finalizers")
        if self.finalizer:
            self._allow(found, self.kind, ("get", "patch"))

    def _allow_exactly(self, found: dict[tuple[str, str], set[str]]) -> None:
        watched = [*([self.kind] if self.kind is not None else []), *self.owns, *self.watches]
        for kind in watched:
            self._allow(found, kind, ("list", "watch"))
        if self.kind is not None and self.owns:  # references that hold up its deletion may be set by whoever may this
            self._allow(found, self.kind, ("update",), "/finalizers")
        for kind, verbs, part in self.uses:
            self._allow(found, kind, verbs, f"/{part}" if part else "")

    def _allow(self, found: dict[tuple[str, str], set[str]], kind: Any, verbs: Iterable[str], part: str = "") -> None:
        gvr = form_of(self.clientset, kind).info.gvr
        found.setdefault((gvr.group, gvr.resource + part), set()).update(verbs)

    def as_dict(self) -> Mapping[str, Any]:
        """All of it."""
        return {
            "name": self.name,
            "for": _named(self.kind),
            "only_metadata": self.only_metadata,
            "owns": [_named(kind) for kind in self.owns],
            "watches": [_named(kind) for kind in self.watches],
            "dependents": [told for _, told in self.dependents],
            "raw_sources": list(self.raw_sources),
            "filters": list(self.filters),
            "rules": self.rules(),
        }


def _as_rules(found: Mapping[tuple[str, str], set[str]]) -> list[dict[str, list[str]]]:
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": sorted(verbs)}
        for (group, resource), verbs in sorted(found.items())
    ]


def _named(kind: Any) -> str:
    if kind is None:
        return ""
    gvk = gvk_of(kind)
    return f"{gvk.api_version}/{gvk.kind}"
