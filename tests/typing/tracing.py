"""Managers with spans, and controllers that take the place of others, as type checkers see them."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Context, Manager
from k8srt.rest import Config


def replaced(config: Config) -> None:
    manager = Manager(config, tracing=True)

    @manager.controller(ConfigMap, name="cell", replace=True)
    def reconcile(obj: ConfigMap, ctx: Context) -> None: ...

    (controller,) = manager.controllers
    assert_type(manager.remove(controller, timeout=5.0), bool)
