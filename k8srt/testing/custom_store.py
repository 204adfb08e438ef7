"""A store whose every operation is a function of the test's. Contract: CACHE-70."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True)
class FakeCustomStore:
    """Calls the function of an operation if it has one, and else succeeds with nothing."""

    add_func: Callable[[Any], object] | None = None
    update_func: Callable[[Any], object] | None = None
    delete_func: Callable[[Any], object] | None = None
    list_func: Callable[[], builtins.list[Any]] | None = None
    list_keys_func: Callable[[], builtins.list[str]] | None = None
    get_func: Callable[[Any], Any] | None = None
    get_by_key_func: Callable[[str], Any] | None = None
    replace_func: Callable[[builtins.list[Any], str], object] | None = None
    resync_func: Callable[[], object] | None = None

    def add(self, obj: Any) -> None:
        if self.add_func is not None:
            self.add_func(obj)

    def update(self, obj: Any) -> None:
        if self.update_func is not None:
            self.update_func(obj)

    def delete(self, obj: Any) -> None:
        if self.delete_func is not None:
            self.delete_func(obj)

    def list(self) -> builtins.list[Any]:
        return self.list_func() if self.list_func is not None else []

    def list_keys(self) -> builtins.list[str]:
        return self.list_keys_func() if self.list_keys_func is not None else []

    def get(self, obj: Any) -> Any:
        return self.get_func(obj) if self.get_func is not None else None

    def get_by_key(self, key: str) -> Any:
        return self.get_by_key_func(key) if self.get_by_key_func is not None else None

    def replace(self, items: Iterable[Any], resource_version: str = "") -> None:
        if self.replace_func is not None:
            self.replace_func(list(items), resource_version)

    def resync(self) -> None:
        if self.resync_func is not None:
            self.resync_func()
