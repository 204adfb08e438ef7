"""Handlers of single changes, as scripts write them. Type-checked only."""

from __future__ import annotations

from typing import Any, assert_type

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Change, Context, Manager, Registry, Result


def script(mgr: Manager, registry: Registry, ctx: Context[Any]) -> None:
    @mgr.on.create(ConfigMap, labels={"mine": "yes"}, domain="example.com", workers=2)
    def created(obj: ConfigMap, ctx: Context[Any]) -> Result | None:
        return Result(requeue_after=3.0)

    @registry.on.field(ConfigMap, "data.k")
    def field(obj: ConfigMap, ctx: Context[Any], change: Change) -> None:
        assert_type([each.path for each in change.diff], list[str])

    assert_type(created(ConfigMap(), ctx), Result | None)
