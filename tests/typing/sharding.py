"""Sharding as authors of programs write it."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Context, KeyMoved, Manager, Request, Ring
from k8srt.controller.manager.shard import Shard
from k8srt.controller.sharding.shards import ShardState
from k8srt.rest import Config


def program(config: Config) -> Manager:
    ring = Ring("foo", "foo-system", identity="foo-0", controlled=(ConfigMap, Deployment), lease_duration=30.0)
    mgr = Manager(config, sharding=ring, on_lease_lost="exit")

    @mgr.controller(ConfigMap)
    def reconcile(request: Request, ctx: Context) -> None:
        try:
            ctx.client.delete(ConfigMap())
        except KeyMoved as err:
            assert_type(err, KeyMoved)

    assert_type(mgr.shard, Shard | None)
    if mgr.shard is not None:
        state: ShardState = mgr.shard.view.states["foo-0"]
        assert_type(state.counts, bool)
        assert_type(mgr.shard.view.owner("/ConfigMap/default/a"), str)
    Manager(config, sharding="foo")  # type: ignore[arg-type]
    return mgr
