"""Watching the objects that are dependents: from the start, or once they are first active.

Contract: DEP-01, DEP-03.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8srt.controller.dependents.belonging import index
from k8srt.controller.dependents.keeper import Keeper
from k8srt.controller.dependents.state import DependentState
from k8srt.controller.source import Kind

if TYPE_CHECKING:
    from k8srt.controller.context import Context


class DependentKind(Kind):
    """The dependents of a kind, found by their label."""

    def informer(self) -> Any:
        index(self._cache, self.kind)
        return super().informer()


class Late:
    """Opens the watch of a dependent when it is first active."""

    def __init__(self, keeper: Keeper, open_watch: Callable[[], None]) -> None:
        self._keeper = keeper
        self._open_watch = open_watch
        self._opening = threading.Lock()  # held by who opens it, while the others wait for it
        self._open = False

    def bring(self, primary: Any, ctx: Context[Any]) -> DependentState:
        self._ensure_open()
        return self._keeper.bring(primary, ctx)

    def remove(self, primary: Any, ctx: Context[Any]) -> DependentState:
        self._ensure_open()
        return self._keeper.remove(primary, ctx)

    def _ensure_open(self) -> None:
        with self._opening:
            if not self._open:
                self._open_watch()
                self._open = True
