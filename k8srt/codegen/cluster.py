"""The definitions of what a cluster serves, from the best source there is for each.

A CustomResourceDefinition says the most (deprecations, what holds of metadata), so it's read where that's allowed.
What has none, or one that mustn't be read, is described by the OpenAPI v3 document of its group and version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from k8srt.api._index import GROUP_VERSIONS
from k8srt.api.apiextensions.v1 import CustomResourceDefinition
from k8srt.codegen.crd import Definition, DefinitionError, definitions, in_order
from k8srt.codegen.openapi3 import Served, definition, served
from k8srt.discovery import DiscoveryClient
from k8srt.errors import Forbidden, GroupDiscoveryFailed, NotFound
from k8srt.kubernetes.clientset import Clientset

Source = Literal["auto", "crd", "openapi"]
Tell = Callable[[str], None]

BUILT_IN = frozenset(version.rpartition("/")[0] for version in GROUP_VERSIONS)


class Cluster:
    """Reads definitions with one clientset. `tell` is called with what somebody should know."""

    def __init__(self, cs: Clientset, source: Source = "auto", tell: Tell = lambda text: None) -> None:
        self._definitions = cs.apiextensions_v1.custom_resource_definitions()
        self._discovery = DiscoveryClient.over(cs.rest_client)
        self._source = source
        self._tell = tell

    def definitions(self, names: Sequence[str] = ()) -> list[Definition]:
        """Those of the resources and groups named ("foos.example.com", "example.com"); without names, of all that
        aren't built in. Sorted.

        Raises NotFound or DefinitionError naming what isn't there, and Forbidden where there's no other source.
        """
        wanted = [each for each in self._served() if _is_wanted(each, names)]
        found = {each.name for each in wanted} | {each.group for each in wanted}
        missing = [name for name in names if name not in found]
        documents = self._documents({each.name: None for each in wanted}, missing, all_of_them=not names)
        read = definitions(document.to_dict() for document in documents.values())
        read += self._described([each for each in wanted if each.name not in documents])
        return in_order(read)

    # ---- what's served

    def _served(self) -> list[Served]:
        try:
            lists = self._discovery.server_groups_and_resources().resources
        except GroupDiscoveryFailed as err:
            self._tell(f"left out what didn't answer: {', '.join(map(str, err.groups))}")
            lists = err.partial.resources
        return [each for one in lists for each in served(one.group_version, one.resources or ())]

    # ---- definitions

    def _documents(
        self, wanted: dict[str, None], missing: Sequence[str], *, all_of_them: bool
    ) -> dict[str, CustomResourceDefinition]:
        """The definitions of what's wanted, by name, as far as there are any and they may be read."""
        if self._source == "openapi":
            if missing:
                raise DefinitionError(f"the server serves no resource or group called {', '.join(missing)}")
            return {}
        try:
            if all_of_them:
                return {each.metadata.name: each for each in self._definitions.list()}
            return dict(self._read([*wanted, *missing], missing))
        except Forbidden as err:
            if self._source == "crd" or missing:
                raise
            self._tell(f"{err}; reading the OpenAPI documents instead")
            return {}

    def _read(self, names: Sequence[str], needed: Sequence[str]) -> Iterator[tuple[str, CustomResourceDefinition]]:
        for name in names:
            try:
                yield name, self._definitions.get(name)
            except NotFound:
                if name in needed or self._source == "crd":
                    raise

    # ---- OpenAPI

    def _described(self, wanted: Sequence[Served]) -> Iterator[Definition]:
        if not wanted or self._source == "crd":
            return
        documents = self._discovery.openapi_v3()
        for each in wanted:
            try:
                document = documents.schema(each.api_version)
            except KeyError as err:  # it was defined a moment ago, or its server tells none
                raise DefinitionError(f"{each.name}: {err.args[0]}") from err
            yield definition(each, document)


def _is_wanted(each: Served, names: Sequence[str]) -> bool:
    """Whether something is named, or, if nothing is, is not built in and has objects that can be read."""
    if names:
        return bool(each.group) and (each.name in names or each.group in names)
    return each.group not in BUILT_IN and "get" in (each.resource.verbs or ())
