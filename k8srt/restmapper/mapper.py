"""`RESTMapper`: which resource is meant, and which kind its objects have.

    mapper = RESTMapper(discovery)
    mapper.resource_for("deploy")                                   # apps/v1, Resource=deployments
    mapper.rest_mapping(GroupVersionKind("apps", "v1", "Deployment")).namespaced

Texts are read as kubectl reads them: plurals, singulars, kinds and short names, alone or with their group
("deployments.apps") or version and group ("deployments.v1.apps"). Contract: CLI-27, MACH-32, MACH-34.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import (
    GroupKind,
    GroupResource,
    GroupVersionKind,
    GroupVersionResource,
    parse_kind_arg,
    parse_resource_arg,
)
from k8srt.discovery.served import Groups
from k8srt.discovery.shared import Shared
from k8srt.errors import AmbiguousKind, AmbiguousResource, GroupDiscoveryFailed, NoMatch
from k8srt.restmapper import misses
from k8srt.restmapper.mapping import RESTMapping
from k8srt.restmapper.shortcuts import Warn, expand
from k8srt.restmapper.table import Table

log = logging.getLogger(__name__)

Partial = str | GroupVersionResource | GroupResource
"""What may be said of a resource: text, or names of which group and version may be empty."""

Kind = str | GroupVersionKind | GroupKind

T = TypeVar("T")


class Source(Protocol):
    """Where a mapper learns what is served: any discovery client."""

    def server_groups_and_resources(self) -> Groups: ...
    def fresh(self) -> bool: ...
    def invalidate(self) -> None: ...


class RESTMapper:
    """Maps names to resources and kinds, by what a server serves. Thread-safe; asks nothing when made.

    What is served is asked for at the first use and kept. Something unknown has it asked again, once, unless it was
    asked for by that very call. Groups that cannot be discovered are left out, and named when something is not found.
    Misses raise NoMatch; several that fit equally AmbiguousMatch; a server that cannot be reached TransportError.
    """

    def __init__(self, discovery: Source, *, on_warning: Warn | None = None) -> None:
        """`on_warning` hears, as text, of short names that could mean another resource too; else it is logged."""
        self.discovery = discovery
        self._warn = on_warning or _LogOnce()
        self._table: Shared[Table] = Shared()

    # ---- by resource ----------------------------------------------------------------------------------------------

    def resource_for(self, partial: Partial) -> GroupVersionResource:
        """The resource meant, in the version the server prefers unless one is named."""
        return self.info_for(partial).gvr

    def resources_for(self, partial: Partial) -> list[GroupVersionResource]:
        """All resources that fit, in the order of the server."""
        return self._ask(lambda table: _unique(self._fitting(table, partial), lambda entry: entry.gvr))

    def kind_for(self, partial: Partial) -> GroupVersionKind:
        """The kind of the resource meant."""
        return self.info_for(partial).gvk

    def kinds_for(self, partial: Partial) -> list[GroupVersionKind]:
        """The kinds of all resources that fit, in the order of the server."""
        return self._ask(lambda table: _unique(self._fitting(table, partial), lambda entry: entry.gvk))

    def info_for(self, partial: Partial) -> ResourceInfo:
        """All that discovery tells of the resource meant: scope, verbs, short names, subresources."""
        return self._ask(lambda table: self._one(table, partial))

    # ---- by kind --------------------------------------------------------------------------------------------------

    def rest_mapping(self, kind: Kind, *versions: str) -> RESTMapping:
        """The resource of a kind: in the first of `versions` that has it, or the one that the server prefers.

        A GroupVersionKind names its version itself. Text is read as `resource_for` reads it.
        """
        if isinstance(kind, str):
            return RESTMapping.of(self.info_for(kind))
        asked, versions = _kind_and_versions(kind, versions)
        return RESTMapping.of(self._ask(lambda table: _one_of_kind(table, asked, versions)))

    def rest_mappings(self, kind: Kind, *versions: str) -> list[RESTMapping]:
        """The resources of a kind in all versions, or in those of `versions` that have it."""
        if isinstance(kind, str):
            return self._ask(lambda table: [RESTMapping.of(entry) for entry in self._fitting(table, kind)])
        asked, versions = _kind_and_versions(kind, versions)
        return self._ask(lambda table: [RESTMapping.of(entry) for entry in _of_kind(table, asked, versions)])

    # ---- all of it ------------------------------------------------------------------------------------------------

    def expand_category(self, category: str) -> list[GroupResource]:
        """The resources of a category, such as "all"; none if there is no such category."""
        return self._current()[0].in_category(category)

    def reset(self) -> None:
        """Forget what is served; it is asked for again at the next use."""
        self.discovery.invalidate()
        self._table.forget()

    # ---- looking up -----------------------------------------------------------------------------------------------

    def _fitting(self, table: Table, partial: Partial) -> list[ResourceInfo]:
        """What fits, at least one. Raises NoMatch."""
        found: list[ResourceInfo] = []
        for form in _forms(partial):
            found = table.named(expand(table, form, self._warn))
            if found:
                return found
        if isinstance(partial, str):
            full, whole = parse_kind_arg(partial)
            for kind in (full, whole):
                if kind is not None and not found:
                    asked, versions = _kind_and_versions(kind, ())
                    found = table.of_kind(asked, versions)
        if not found:
            raise misses.no_resource(table, partial)
        return found

    def _one(self, table: Table, partial: Partial) -> ResourceInfo:
        entry, keys = table.first(self._fitting(table, partial), lambda each: each.gvr)
        if entry is None:
            raise AmbiguousResource(misses.several(partial, keys), partial, keys)
        return entry

    def _ask(self, look: Callable[[Table], T]) -> T:
        """Look something up, again in a new table if it is not in an old one. Contract: CLI-27."""
        table, is_new = self._current()
        try:
            return look(table)
        except NoMatch:
            if is_new and self.discovery.fresh():
                raise
        if self._table.peek() is table:  # else another thread has done it
            self.discovery.invalidate()
            self._table.forget(table)
        return look(self._current()[0])

    def _current(self) -> tuple[Table, bool]:
        """The table, and whether it was made just now."""
        made: list[Table] = []

        def make() -> Table:
            made.append(self._build())
            return made[0]

        table = self._table.get(make)
        assert table is not None
        return table, bool(made)

    def _build(self) -> Table:
        try:
            groups, lists = self.discovery.server_groups_and_resources()
        except GroupDiscoveryFailed as err:
            log.warning("%s", err)
            groups, lists = err.partial
            return Table(groups, lists, err.groups)
        return Table(groups, lists)

    def __repr__(self) -> str:
        table = self._table.peek()
        filled = f", {len(table.entries)} resources" if table is not None else ""
        return f"<RESTMapper over {self.discovery!r}{filled}>"


def _forms(partial: Partial) -> list[GroupVersionResource]:
    """The ways to read what was said, in the order of trying."""
    if isinstance(partial, GroupVersionResource):
        return [partial]
    if isinstance(partial, GroupResource):
        return [GroupVersionResource(partial.group, "", partial.resource)]
    if not isinstance(partial, str):
        raise TypeError(f"expected text, a GroupVersionResource or a GroupResource, got {type(partial).__name__}")
    if not partial:
        raise ValueError("a resource must be present, got an empty text")
    full, whole = parse_resource_arg(partial)
    plain = GroupVersionResource(whole.group, "", whole.resource)
    return [full, plain] if full is not None else [plain]


def _kind_and_versions(
    kind: GroupVersionKind | GroupKind, versions: tuple[str, ...]
) -> tuple[GroupKind, tuple[str, ...]]:
    if isinstance(kind, GroupVersionKind):
        return kind.group_kind, (kind.version, *versions) if kind.version else versions
    if not isinstance(kind, GroupKind):
        raise TypeError(f"expected text, a GroupVersionKind or a GroupKind, got {type(kind).__name__}")
    return kind, versions


def _of_kind(table: Table, kind: GroupKind, versions: tuple[str, ...]) -> list[ResourceInfo]:
    found = table.of_kind(kind, versions)
    if not found:
        raise misses.no_kind(table, kind, versions)
    return found


def _one_of_kind(table: Table, kind: GroupKind, versions: tuple[str, ...]) -> ResourceInfo:
    entry, keys = table.first(_of_kind(table, kind, versions), lambda each: each.gvr, versions)
    if entry is None:
        raise AmbiguousKind(misses.several(kind, keys), kind, keys)
    return entry


def _unique(entries: list[ResourceInfo], key: Callable[[ResourceInfo], T]) -> list[T]:
    return list(dict.fromkeys(key(entry) for entry in entries))


class _LogOnce:
    """Logs each text once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _seen
        self._seen: set[str] = set()

    def __call__(self, text: str) -> None:
        with self._lock:
            if text in self._seen:
                return
            self._seen.add(text)
        log.warning("%s", text)
