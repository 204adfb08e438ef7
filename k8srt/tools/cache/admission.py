"""What is done to a change before a queue takes it: its key, its kept form, its transform. All without a lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from k8srt.errors import K8srtError
from k8srt.tools.cache.delta import Delta
from k8srt.tools.cache.forms import Form, Transform
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, KeyFunc

T = TypeVar("T")


class Keyed(NamedTuple):
    """A change in kept form, and the key of what has changed."""

    key: str
    delta: Delta


class Admission(Generic[T]):
    """Prepares changes of one kind. Immutable."""

    def __init__(self, form: Form[T], key_func: KeyFunc, transform: Transform | None) -> None:
        self.form = form
        self.transform = transform
        self._key = form.key_of(key_func)

    def admit(self, change: Delta, *, transformed: bool = False) -> Keyed:
        """The change, ready to be queued; a record goes through as it is. Tombstones are not transformed.

        `transformed` says that this was done already. Raises CacheKeyError, TransformError.
        """
        kept = self.form.freeze(change.object)
        key = self._key(kept)
        if self.transform is not None and not transformed and not isinstance(kept, DeletedFinalStateUnknown):
            kept = self.form.transformed(self.transform, kept)
        return Keyed(key, change if kept is change.object else Delta(change.type, kept))

    def key_of(self, obj: Any) -> str:
        """The key of an object as it would be queued. Raises CacheKeyError."""
        return self._key(self.form.freeze(obj))

    def admit_all(self, changes: Sequence[Delta]) -> tuple[list[Keyed], list[tuple[Any, Exception]]]:
        """Those that can be queued, and the objects of those that cannot, each with its error."""
        admitted: list[Keyed] = []
        failed: list[tuple[Any, Exception]] = []
        for change in changes:
            try:
                admitted.append(self.admit(change))
            except K8srtError as err:
                failed.append((change.object, err))
        return admitted, failed
