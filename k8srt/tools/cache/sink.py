"""Where a reflector puts what it reads: any store, whatever of the optional methods it has.

Queues and stores of this package take records, in batches. Any other store gets objects of the expected kind, one by
one. Contract: REFL-40, REFL-42.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.tools.cache.delta import ADDED, DELETED, UPDATED, Delta
from k8srt.tools.cache.forms import Form, Transform

log = logging.getLogger(__name__)


class Sink:
    """One target store, for one reflector. Used by one thread at a time, except `resync`."""

    def __init__(self, store: Any, make: Callable[[Record], Any], about: str) -> None:
        self.store = store
        self._about = about
        self._make = None if _takes_records(store) else make
        self._extend: Callable[[Sequence[Delta]], Sequence[tuple[Any, Exception]]] | None = None
        if self._make is None:
            self._extend = getattr(store, "extend", None)
        self._bookmark: Callable[[str], object] | None = getattr(store, "bookmark", None)
        self._note_version: Callable[[str], object] | None = getattr(store, "update_resource_version", None)
        self._methods = {ADDED: store.add, UPDATED: store.update, DELETED: store.delete}

    @property
    def event_by_event(self) -> bool:
        """Whether the store wants to hear of every single version."""
        return self._note_version is not None

    def write(self, changes: Sequence[Delta]) -> None:
        """Hand over changes in order. What fails is logged, and the rest goes on."""
        failed = self._extend(changes) if self._extend is not None else self._one_by_one(changes)
        for obj, err in failed:
            log.error("%s: %r is left out: %s", self._about, obj, err)

    def _one_by_one(self, changes: Sequence[Delta]) -> list[tuple[Any, Exception]]:
        failed: list[tuple[Any, Exception]] = []
        for kind, record in changes:
            try:
                self._methods[kind](record if self._make is None else self._make(record))
            except Exception as err:  # noqa: BLE001 - somebody else's store; the caller logs it
                failed.append((record, err))
        return failed

    def replace(self, records: Sequence[Record], version: str, *, transformed: bool = False) -> None:
        """Make `records` the whole content. Raises what the store raises."""
        if self._make is None:
            self.store.replace(records, version, transformed=transformed)
        else:
            self.store.replace([self._make(record) for record in records], version)

    def resync(self) -> None:
        self.store.resync()

    def bookmark(self, version: str) -> None:
        if self._bookmark is not None:
            self._bookmark(version)

    def note_version(self, version: str) -> None:
        if self._note_version is not None:
            self._note_version(version)

    def transformer(self) -> Transform | None:
        ask = getattr(self.store, "transformer", None)
        found: Transform | None = ask() if callable(ask) else None
        return found if self._make is None else None  # other stores look after themselves

    def transformed(self, transform: Transform, record: Record) -> Any:
        form: Form[Any] = self.store.form
        return form.transformed(transform, record)


def _takes_records(store: Any) -> bool:
    kind = getattr(getattr(store, "form", None), "kind", None)
    return isinstance(kind, type) and issubclass(kind, Object)
