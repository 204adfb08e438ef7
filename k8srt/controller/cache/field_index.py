"""Finding cached objects by namespace, labels and fields.

A field is whatever a user's function says about objects, under a name that looks like a path. Everything is looked up
under the first field that is indexed and must equal something; the rest is sifted. `metadata.name` and
`metadata.namespace` need no index.

Contract: CCH-05, CCH-06.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from k8srt.apimachinery.fields import FieldRequirement, FieldSelector, as_field_selector
from k8srt.apimachinery.labels import Selector, SelectorLike, as_selector
from k8srt.apimachinery.record import Record
from k8srt.controller.kinds import Form
from k8srt.errors import K8srtError
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, Indexer, IndexFunc
from k8srt.tools.cache.keys import on_records

_BY_NAME = {"metadata.name": "name", "metadata.namespace": "namespace"}


class NoFieldIndex(K8srtError, ValueError):
    """Objects were to be found by a field that has no index, or by nothing that has one. Contract: CCH-06."""


class Query(NamedTuple):
    """Which objects. `allow_scan`: also when all must be looked at for it."""

    namespace: str
    labels: Selector
    fields: FieldSelector
    allow_scan: bool = False

    @classmethod
    def of(cls, namespace: str, labels: SelectorLike, fields: Any, allow_scan: bool = False) -> Query:
        """Raises SelectorError for selectors that make no sense."""
        return cls(namespace, as_selector(labels), as_field_selector(fields), allow_scan)


def index_func(form: Form, values: Callable[[Any], Iterable[str]]) -> IndexFunc:
    """What an indexer indexes by: each value within the namespace, and across all of them."""

    @on_records
    def indexed(record: Record) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(value or "" for value in values(form.make(record))))
        across = tuple(f"/{value}" for value in found)
        return across + tuple(f"{record.namespace}/{value}" for value in found) if record.namespace else across

    return indexed


def index_name(field: str) -> str:
    """The name of the index of a field."""
    return f"field:{field}"


def check_indexed(kind: str, known: Iterable[str], query: Query) -> None:
    """Raises NoFieldIndex, naming what would help."""
    known = {*_BY_NAME, *known}
    for field in (each.field for each in query.fields.requirements):
        if field not in known:
            raise NoFieldIndex(
                f"{kind} cannot be found by {field!r}, of which there is no index; "
                f"make one with index_field({kind}, {field!r}, ...)"
            )
    requirements = query.fields.requirements
    if requirements and not query.allow_scan and not any(each.operator == "=" for each in requirements):
        raise NoFieldIndex(
            f"to find {kind} by {query.fields} every one must be looked at: say what a field must equal, "
            "or allow it with allow_scan=True"
        )


def select(indexer: Indexer[Any], query: Query) -> list[Any]:
    """What is kept and meets a query, as it is kept, all as of one moment."""
    indexed = next((each for each in query.fields.requirements if _is_indexed_equality(each)), None)
    if indexed is not None:
        kept = indexer.kept_by_index(index_name(indexed.field), f"{query.namespace}/{indexed.value}")
    elif query.namespace:
        kept = indexer.kept_by_index(NAMESPACE_INDEX, query.namespace)
    else:
        kept = indexer.kept()
    rest = [each for each in query.fields.requirements if each is not indexed]
    if query.labels.empty and not rest:
        return kept
    return [each for each in kept if query.labels.matches(each.labels or {}) and _meets(indexer, each, rest)]


def meets(indexer: Indexer[Any], record: Record, query: Query) -> bool:
    """Whether something that may not be in the index meets a query."""
    if query.namespace and record.namespace != query.namespace:
        return False
    return query.labels.matches(record.labels or {}) and _meets(indexer, record, query.fields.requirements)


def _is_indexed_equality(requirement: FieldRequirement) -> bool:
    return requirement.operator == "=" and requirement.field not in _BY_NAME


def _meets(indexer: Indexer[Any], record: Record, requirements: Iterable[FieldRequirement]) -> bool:
    return all((each.value in _values(indexer, record, each.field)) is (each.operator == "=") for each in requirements)


def _values(indexer: Indexer[Any], record: Record, field: str) -> Iterator[str]:
    if field in _BY_NAME:
        yield getattr(record, _BY_NAME[field])
        return
    for value in indexer.get_indexers()[index_name(field)](record):
        namespace, _, plain = value.partition("/")
        if not namespace:
            yield plain
