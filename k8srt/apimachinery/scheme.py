"""Which class stands for which kind.

Classes of API objects enter `default` when they are defined; the modules with the built-in kinds are loaded when one
of their kinds is asked for.
"""

from __future__ import annotations

import importlib
import threading
from typing import Any

from k8srt.apimachinery.schema import GroupVersionKind


class Scheme:
    """A map from kinds to classes. Thread-safe."""

    def __init__(self, index: str = "") -> None:
        """`index` names a module whose GROUP_VERSIONS say which module defines the kinds of a group-version."""
        self._index = index
        self._lock = threading.Lock()  # guards both maps
        self._classes: dict[GroupVersionKind, type[Any]] = {}
        self._modules: dict[str, str] = {}

    def add(self, gvk: GroupVersionKind, cls: type[Any]) -> None:
        """Let `cls` stand for `gvk`; a later class takes the place of an earlier one."""
        with self._lock:
            self._classes[gvk] = cls

    def add_module(self, api_version: str, module: str) -> None:
        """Say which module defines the kinds of a group-version; it is imported when one is asked for."""
        with self._lock:
            self._modules[api_version] = module

    def lookup(self, gvk: GroupVersionKind) -> type[Any] | None:
        """The class that stands for a kind, or None."""
        with self._lock:
            cls = self._classes.get(gvk)
            module = self._modules.get(gvk.api_version)
        if cls is None and module is None and self._index:
            module = importlib.import_module(self._index).GROUP_VERSIONS.get(gvk.api_version)
        if cls is None and module is not None:
            importlib.import_module(module)  # not under the lock: defining classes adds them
            with self._lock:
                cls = self._classes.get(gvk)
        return cls

    def is_built_in(self, api_version: str) -> bool:
        """Whether a group-version is one of Kubernetes itself, and not of a custom resource."""
        return bool(self._index) and api_version in importlib.import_module(self._index).GROUP_VERSIONS

    def kinds(self) -> list[GroupVersionKind]:
        """The kinds known without loading anything more, sorted."""
        with self._lock:
            return sorted(self._classes)


default = Scheme("k8srt.api._index")
