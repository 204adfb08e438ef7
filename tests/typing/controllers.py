"""Controllers as their authors write them: contexts with and without a state of their own, decorators, builders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import (
    PRESENT,
    Builder,
    Context,
    Controller,
    Manager,
    Reason,
    Registry,
    Request,
    Result,
    Retry,
    current,
    field,
)
from k8srt.rest import Config


@dataclass
class State:
    seen: int = 0


def with_state(obj: ConfigMap, ctx: Context[State]) -> Result | None:
    assert_type(ctx.state, State)
    assert_type(ctx.retry, Retry)
    assert_type(ctx.reasons, tuple[Reason, ...])
    assert_type(ctx.client.get(Deployment, ctx.request), Deployment)
    return None


def without(request: Request, ctx: Context) -> None:
    running = current()
    if running is not None:
        running.check()


def together(config: Config) -> Controller:
    manager = Manager(config, state=State())
    manager.controller(ConfigMap, labels={"a": PRESENT}, where=field("data.x", "y"))(with_state)

    @manager.on_start
    def start(mgr: Manager) -> None: ...

    @manager.runnable(need_leader_election=False)
    def runs(stop: object) -> None: ...

    manager.include(Registry())
    return Builder(manager).for_(ConfigMap).owns(Deployment).named("one").build(without)
