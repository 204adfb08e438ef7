"""Finding resources by name: what `Clientset.resource` and `Clientset.api_resources` stand on."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersion, GroupVersionKind, GroupVersionResource
from k8srt.discovery.served import Served
from k8srt.errors import GroupDiscoveryFailed
from k8srt.restmapper.mapper import RESTMapper
from k8srt.restmapper.table import infos

COLUMNS = ("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND")


def find_resource(mapper: RESTMapper, asked: str | GroupVersionResource | GroupVersionKind) -> ResourceInfo:
    """What discovery tells of a resource, by text as kubectl takes it, or by names. Raises MappingError."""
    if isinstance(asked, GroupVersionKind):
        return mapper.info_for(mapper.rest_mapping(asked).resource)
    if isinstance(asked, (str, GroupVersionResource)):
        return mapper.info_for(asked)
    raise TypeError(
        f"resource() takes a class, text, a GroupVersionResource or a GroupVersionKind, not {type(asked).__name__}"
    )


class ResourceTable(list[ResourceInfo]):
    """Resources that a server has, as `kubectl api-resources` shows them: a list, and a table when printed.

    `failed` maps the group-versions that could not be asked to their errors; their resources are missing.
    """

    def __init__(self, rows: Iterable[ResourceInfo] = (), failed: Mapping[Any, Exception] | None = None) -> None:
        super().__init__(rows)
        self.failed = dict(failed or {})

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                row.resource,
                ",".join(row.short_names),
                row.api_version,
                "true" if row.namespaced else "false",
                row.kind,
            )
            for row in self
        ]

    def __repr__(self) -> str:
        rows = [COLUMNS, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["   ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *self._failures()])

    def _failures(self) -> Sequence[str]:
        return [str(GroupDiscoveryFailed(self.failed))] if self.failed else []

    def _repr_html_(self) -> str:
        """The table as notebooks show it."""
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in self._cells())
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self._failures())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def list_resources(
    discovery: Served,
    *,
    namespaced: bool | None,
    api_group: str | None,
    verbs: Iterable[str],
    categories: Iterable[str],
) -> ResourceTable:
    """The preferred resources that fit, sorted by group and name."""
    failed: Mapping[Any, Exception] = {}
    try:
        lists = discovery.server_preferred_resources()
    except GroupDiscoveryFailed as err:
        lists, failed = err.partial, err.groups
    served = {GroupVersion.parse(each.group_version): each.resources for each in lists}
    wanted_verbs, wanted_categories = set(verbs), set(categories)
    rows = [
        row
        for version in served
        if api_group is None or version.group == api_group
        for row in infos(version, served)
        if row.verbs and wanted_verbs <= set(row.verbs) and wanted_categories <= set(row.categories)
        if namespaced is None or row.namespaced == namespaced
    ]
    rows.sort(key=lambda row: (row.gvk.group, row.resource))
    return ResourceTable(rows, failed)
