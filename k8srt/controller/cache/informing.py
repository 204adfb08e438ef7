"""Making the informers of a cache.

Contract: CCH-08, CCH-10, CCH-11, CCH-15.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.record import RecordList
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.kind_cache import Failures, Forgiving, Part
from k8srt.controller.cache.overlay import Overlay
from k8srt.controller.cache.scopes import Range
from k8srt.controller.kinds import Form, MetadataOnly, gvk_of
from k8srt.informers.source import ClientSource
from k8srt.metadata.client import MetadataClient
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, meta_namespace_index
from k8srt.tools.cache.listwatch import ListOptions, WatchStream
from k8srt.tools.cache.reflector import ErrorHandler
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.util.clock import Clock

MISSING = ""
MERGE_BEYOND = 10_000
"""How many notifications wait for a slow handler before they are merged by key. Contract: SHR-02."""


def missing_form(kind: Any) -> Form:
    """The form of a kind that the server does not know yet: what it is called is found out when it does."""
    info = ResourceInfo(gvk_of(kind), MISSING)
    return Form(info, PartialObjectMetadata if isinstance(kind, MetadataOnly) else Unstructured)


class PartMaker:
    """Makes informers over the clients of a clientset. Thread-safe."""

    def __init__(
        self,
        clientset: Any,
        options: Mapping[str, Any],
        error_handler: ErrorHandler | None,
        strict_transform: bool,
        rng: random.Random,
        clock: Clock,
    ) -> None:
        self._clientset = clientset
        self._options = options
        self._error_handler = error_handler
        self._strict = strict_transform
        self._rng = rng
        self._clock = clock

    def make(self, form: Form, wanted: Range) -> Part:
        """An informer of a range, not started."""
        about = f"{form.name} in {wanted.namespace}" if wanted.namespace else form.name
        transform = wanted.transform
        if transform is not None and not self._strict:
            transform = Forgiving(transform, about)
        expected = form.cls if form.cls.__info__ is not None else form.info.gvk
        informer: SharedIndexInformer[Any] = SharedIndexInformer(
            ClientSource(_Late(lambda: self._client(form, wanted.asked_namespace)), _tweak(wanted)),
            expected,
            description=form.info.kind,
            resync_period=wanted.sync_period * (0.9 + 0.2 * self._rng.random()),
            indexers={NAMESPACE_INDEX: meta_namespace_index},
            transform=transform,
            clock=self._clock,
            **{"merge_beyond": MERGE_BEYOND, **self._options},
        )
        failures = Failures(about, self._error_handler)
        informer.set_watch_error_handler(failures.report)
        informer.on_progress(failures.over)
        part = Part(wanted, informer, Overlay(informer.indexer, clock=self._clock), failures, transform)
        part.overlay.admit = part.admit
        return part

    def _client(self, form: Form, namespace: str) -> Any:
        info = form.info
        if info.resource == MISSING:
            info = self._clientset.resource(info.gvk).info
        namespace = namespace if info.namespaced else ""
        if form.metadata:
            return MetadataClient.over(self._clientset.rest_client).resource(info.gvr, namespace)
        if form.cls.__info__ is None:
            return self._clientset.resource(info.gvk, namespace)
        return self._clientset.resource(form.cls, namespace)


class _Late:
    """A client that is made when it is first needed: only then must the server know the kind."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._client: Any = None

    def _made(self) -> Any:
        if self._client is None:
            self._client = self._make()
        return self._client

    def list_records(self, **options: Any) -> RecordList:
        found: RecordList = self._made().list_records(**options)
        return found

    def watch_records(self, **options: Any) -> WatchStream:
        found: WatchStream = self._made().watch_records(**options)
        return found

    def is_watch_list_semantics_unsupported(self) -> bool:
        ask = getattr(self._client, "is_watch_list_semantics_unsupported", None)
        return bool(ask()) if callable(ask) else False


def _tweak(wanted: Range) -> Any:
    labels, fields = str(wanted.labels), wanted.asked_fields

    def tweak(options: ListOptions) -> None:
        options.label_selector, options.field_selector = labels, fields
        if not wanted.bookmarks:
            options.allow_watch_bookmarks = False

    return tweak
