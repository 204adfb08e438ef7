"""Workflows over a cluster in memory, until nothing is left to do."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Dependent, Workflow
from k8srt.testing import controller_test

PRIMARY = ConfigMap(metadata=ObjectMeta(name="a", namespace="default"), data={"color": "red"})


def key(obj: ConfigMap, ctx: Context) -> Secret:
    return Secret(metadata=ObjectMeta(name="key"), data={"color": obj.data["color"].encode()})


def pair(obj: ConfigMap, ctx: Context) -> dict[str, Secret]:
    return {name: Secret(metadata=ObjectMeta(name=name)) for name in ("left", "right")}


def test_dep_01_to_04_in_memory() -> None:
    seen: list[str] = []

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        seen.append(" ".join(f"{name} {state.result}" for name, state in ctx.dependents.items()))

    workflow = [Dependent(Secret, key), Dependent(Secret, pair, name="pair", depends_on="secret", delete="explicit")]
    with controller_test(reconcile, [PRIMARY], kind=ConfigMap, dependents=workflow) as run:
        secrets, maps = run.clientset.core_v1.secrets("default"), run.clientset.core_v1.config_maps("default")
        assert sorted(each.metadata.name for each in secrets.list()) == ["key", "left", "right"]
        assert seen == ["secret created pair created"]
        secrets.delete("left")
        run.settle()
        assert seen[1:] == ["secret unchanged pair created"]
        maps.delete("a")
        run.settle()
        assert (len(secrets.list().items), len(maps.list().items)) == (0, 0)
    assert len(seen) == 2


def test_dep_03_what_fails_is_raised_to_the_test() -> None:
    def fails(obj: ConfigMap, ctx: Context) -> Secret:
        raise errors.K8srtError("no key today")

    run = controller_test(
        lambda obj, ctx: None, [PRIMARY], kind=ConfigMap, dependents=Workflow([Dependent(Secret, fails)])
    )
    with pytest.raises(errors.K8srtError, match="no key today"), run:
        pass
