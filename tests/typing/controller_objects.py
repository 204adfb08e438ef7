"""What a reconcile does to objects, as type checkers see it."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.controller import (
    Channel,
    Context,
    EnqueueForObject,
    Ensured,
    Finalized,
    Finalizers,
    Poll,
    Result,
    Schedule,
    Written,
    create_or_patch,
    create_or_update,
    set_controller_reference,
    with_finalizer,
)
from k8srt.controller.client.applyset import SetOutcome


def mutate(config: ConfigMap) -> None:
    config.data = {"a": "b"}


def clean(obj: ConfigMap, ctx: Context) -> Result:
    return Result(requeue_after=1.0)


@with_finalizer("example.com/x", cleanup=clean)
def reconcile(obj: ConfigMap, ctx: Context) -> None:
    child = Secret()
    set_controller_reference(obj, child)
    assert_type(ctx.ensure(child), Ensured)
    assert_type(ctx.apply_set("x", [child, obj]), SetOutcome)
    with ctx.patching(obj, always_status=True) as same:
        assert_type(same, ConfigMap)
    assert_type(create_or_update(ctx.client, obj, mutate), Written)
    create_or_update(ctx.client, child, mutate)  # type: ignore[arg-type]
    assert_type(create_or_patch(ctx.client, obj, mutate), Written)


them = Finalizers()
them.register("example.com/x", lambda obj: None)
assert_type(them.finalize(ConfigMap()), Finalized)
channel = Channel(EnqueueForObject(), of=["shop/a"])
channel.send(ConfigMap(), timeout=1.0)
Poll(lambda: [1, 2], 5.0, key=lambda number: f"shop/{number}")
Schedule("@daily", ["shop/a"])
