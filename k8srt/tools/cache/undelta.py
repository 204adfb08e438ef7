"""A store that shows its whole content to somebody after every change. Contract: CACHE-69."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from k8srt.tools.cache.keys import KeyFunc, meta_namespace_key
from k8srt.tools.cache.store import Store

T = TypeVar("T")


class UndeltaStore(Store[T]):
    """See the module. `push` runs in the thread that wrote, without a lock: of two that write at once, both may show
    the same content. Thread-safe."""

    def __init__(
        self,
        push: Callable[[builtins.list[T]], object],
        key_func: KeyFunc = meta_namespace_key,
        *,
        kind: type[T] | None = None,
    ) -> None:
        super().__init__(key_func, kind=kind)
        self._push = push

    def add(self, obj: T) -> None:
        """As `Store.add`, and show. Raises what `push` raises, too; the change stays."""
        super().add(obj)
        self._push(self.list())

    def update(self, obj: T) -> None:
        super().update(obj)
        self._push(self.list())

    def delete(self, obj: Any) -> None:
        super().delete(obj)
        self._push(self.list())

    def replace(self, items: Iterable[T], resource_version: str = "", *, transformed: bool = False) -> None:
        super().replace(items, resource_version, transformed=transformed)
        self._push(self.list())
