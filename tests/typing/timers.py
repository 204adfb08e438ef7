"""Timers and daemons as their authors write them."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.controller import Context, Controller, Manager, Registry, Request, Result, new_daemon, new_timer


def every(obj: ConfigMap) -> float:
    return float((obj.data or {}).get("every", "60"))


def with_a_manager(manager: Manager, registry: Registry) -> Controller:
    @manager.timer(ConfigMap, interval=every, initial_delay=5.0, idle=10, sharp=True, where=lambda obj: True, workers=2)
    def check(obj: ConfigMap, ctx: Context) -> Result | None:
        return None

    @registry.daemon(Pod, max_daemons=10, stop_timeout=None, finalizer="example.com/tend", backoff=(1.0, 60.0))
    def tend(obj: Pod, ctx: Context[int]) -> None:
        while not ctx.stop.wait(10.0):
            assert_type(ctx.state, int)
            ctx.current()

    assert_type(check(ConfigMap(), current()), Result | None)

    def by_request(request: Request, ctx: Context) -> None: ...

    new_timer(manager, ConfigMap, by_request, interval=60.0)
    return new_daemon(manager, Pod, by_request, labels={"app": "web"}, uses=[(Pod, "patch/status", "get")])


def current() -> Context:
    raise LookupError
