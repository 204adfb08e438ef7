"""What of each kind a cache keeps: in which namespaces, selected and changed how.

    Manager(config, by_object={
        Pod: KindScope(field_selector="spec.nodeName=node-1"),
        Secret: KindScope(namespaces={"default": Scope(label_selector="app=web")}, transform=strip),
    })

What is not said is inherited: of a namespace of the kind, then of the kind, then of a default namespace, then of the
cache. None inherits; an empty selector and `unchanged` as a transform do not. Selectors limit what *any* controller of
the cache sees; predicates do not limit what the cache keeps.

Contract: CCH-08 to CCH-10, CCH-13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from k8srt.apimachinery.fields import FieldRequirement, FieldSelector, as_field_selector
from k8srt.apimachinery.labels import Selector, SelectorLike, as_selector
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.kinds import Form, Kind, MetadataOnly, gvk_of, info_of, name_of
from k8srt.tools.cache.forms import Transform

ALL_NAMESPACES = ""
"""As a key among others it stands for all namespaces that are not named."""

_NAMESPACE = "metadata.namespace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is kept of a namespace. None inherits."""

    label_selector: SelectorLike | None = None
    field_selector: str | Mapping[str, str] | FieldSelector | None = None
    transform: Transform | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindScope(Scope):
    """What is kept of a kind. An empty mapping of `namespaces` means all of them.

    `sync_period` in seconds; `bookmarks` False asks for none. `transform` gets objects of the form that the kind has
    in `by_object`.
    """

    namespaces: Mapping[str, Scope] | Iterable[str] | None = None
    sync_period: float | None = None
    bookmarks: bool | None = None


class Range(NamedTuple):
    """What one informer is to keep. `excluded`: namespaces that others see to."""

    namespace: str
    labels: Selector
    fields: FieldSelector
    transform: Transform | None
    sync_period: float
    bookmarks: bool
    excluded: tuple[str, ...] = ()

    @property
    def asked_namespace(self) -> str:
        """The namespace in the URL: a selector that pins one narrows what is asked for. Contract: CCH-10."""
        return self.namespace or self.fields.requires_exact_match(_NAMESPACE) or ""

    @property
    def asked_fields(self) -> str:
        """The field selector that is sent."""
        others = (FieldRequirement(_NAMESPACE, "!=", name) for name in self.excluded)
        return str(FieldSelector((*self.fields.requirements, *others)))

    @property
    def judges_fields(self) -> bool:
        """Whether only the server knows what is within."""
        return any(each.field not in ("metadata.name", _NAMESPACE) for each in self.fields.requirements)


def unchanged(obj: Any) -> Any:
    """The transform that changes nothing: it keeps a kind from inheriting another."""
    return obj


def transform_strip_managed_fields(obj: Any) -> Any:
    """Drop `metadata.managedFields`, which takes more memory than most objects and is read by few. CCH-11."""
    if obj.metadata.managed_fields:
        obj.metadata.managed_fields = None
    return obj


class Scopes:
    """The scopes of one cache. Immutable. Raises ValueError for namespaces of a kind that has none: CCH-09."""

    def __init__(
        self,
        defaults: KindScope,
        default_namespaces: Mapping[str, Scope] | Iterable[str] | None = None,
        by_object: Mapping[Kind, KindScope] | None = None,
    ) -> None:
        self._defaults = defaults
        self._default_namespaces = _namespaces(default_namespaces)
        self._by_kind: dict[tuple[GroupVersionKind, bool], tuple[Kind, KindScope]] = {}
        for kind, scope in (by_object or {}).items():
            if scope.namespaces is not None and isinstance(kind, type) and not info_of(kind).namespaced:
                raise ValueError(f"by_object: {name_of(kind)} are in no namespace, so none can be given for them")
            self._by_kind[gvk_of(kind), isinstance(kind, MetadataOnly)] = (kind, scope)

    def kind_of(self, form: Form) -> Kind | None:
        """The kind as `by_object` has it: what its transform takes."""
        found = self._found(form)
        return None if found is None else found[0]

    def ranges(self, form: Form, namespaces: Iterable[str] | None = None) -> dict[str, Range]:
        """What each informer of a kind is to keep, by namespace. `namespaces` take the place of those configured."""
        found = self._found(form)
        scope = found[1] if found is not None else KindScope()
        own = _namespaces(scope.namespaces)
        if own is not None and not form.info.namespaced:
            raise ValueError(f"by_object: {form.name} are in no namespace, so none can be given for them")
        wanted: Mapping[str, Scope]
        if not form.info.namespaced:
            wanted = {ALL_NAMESPACES: Scope()}
        elif namespaces is not None:
            wanted = {name: (own or {}).get(name, Scope()) for name in namespaces} or {ALL_NAMESPACES: Scope()}
        else:
            wanted = own if own is not None else self._default_namespaces or {}
            wanted = wanted or {ALL_NAMESPACES: Scope()}
        return {name: self._range(name, wanted, scope, form, own) for name in wanted}

    def _range(
        self, name: str, wanted: Mapping[str, Scope], scope: KindScope, form: Form, own: Mapping[str, Scope] | None
    ) -> Range:
        chain = [scope, self._defaults]
        defaults = (self._default_namespaces or {}).get(name) if form.info.namespaced else None
        levels: list[Scope] = [*([own[name]] if own and name in own else []), chain[0]]
        levels += [*([defaults] if defaults is not None else []), chain[1]]
        labels = _first(level.label_selector for level in levels)
        fields = _first(level.field_selector for level in levels)
        period = _first(level.sync_period for level in chain)
        return Range(
            name,
            as_selector(labels),
            as_field_selector(fields),
            _first(level.transform for level in levels),
            period or 0.0,
            _first(level.bookmarks for level in chain) is not False,
            tuple(sorted(each for each in wanted if each)) if name == ALL_NAMESPACES else (),
        )

    def _found(self, form: Form) -> tuple[Kind, KindScope] | None:
        gvk = form.info.gvk
        return (self._by_kind.get((gvk, True)) if form.metadata else None) or self._by_kind.get((gvk, False))


def _namespaces(given: Mapping[str, Scope] | Iterable[str] | None) -> dict[str, Scope] | None:
    if given is None:
        return None
    if isinstance(given, str):
        raise TypeError(f"namespaces: expected names, or a mapping of them to scopes, got the text {given!r}")
    return dict(given) if isinstance(given, Mapping) else {name: Scope() for name in given}


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)
