"""One controller, run until there is nothing left for it to do."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.owners import new_controller_ref
from k8srt.controller import Context, Request, Result
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, FakeClock, NotIdle, controller_test


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data=data)


def copy(obj: ConfigMap, ctx: Context) -> None:
    """Every config map has a secret that says the same."""
    secret = Secret(metadata=ObjectMeta(name=obj.metadata.name, namespace=obj.metadata.namespace))
    secret.metadata.owner_references = [new_controller_ref(obj)]
    secret.string_data = dict(obj.data or {})
    ctx.client.apply(secret)


def test_ete_10_it_has_done_everything_when_it_returns() -> None:
    with controller_test(copy, [config_map("a", k="v"), config_map("b")], owns=[Secret]) as run:
        secrets = run.clientset.core_v1.secrets("default")
        assert secrets.get("a").data == {"k": b"v"}
        assert secrets.get("b").metadata.owner_references[0].name == "b"

        run.clientset.core_v1.config_maps("default").patch("a", {"data": {"k": "w"}}, patch_type="merge")
        secrets.delete("b")
        done = run.settle()

        assert secrets.get("a").data == {"k": b"w"}
        assert secrets.get("b").metadata.name == "b"
        assert {each.request for each in done} == {Request("default", "a"), Request("default", "b")}


def test_ete_10_many_changes_are_all_seen_before_it_is_idle() -> None:
    with controller_test(copy, owns=[Secret], workers=4) as run:
        maps = run.clientset.core_v1.config_maps("default")
        for round_ in range(20):
            for number in range(5):
                run.load(config_map(f"m{number}", round=str(round_)))
            run.settle()

            found = {each.metadata.name: each.data["round"] for each in run.clientset.core_v1.secrets("default").list()}
            assert found == {f"m{number}": str(round_).encode() for number in range(5)}
        maps.delete("m0")
        run.settle()
        assert "m0" not in [each.metadata.name for each in run.clientset.core_v1.secrets("default").list()]


def test_ete_10_requeue_after_is_stepped_through() -> None:
    def often(obj: ConfigMap, ctx: Context) -> Result:
        return Result(requeue_after=60.0)

    clock = FakeClock()
    with controller_test(often, [config_map("a")], clock=clock) as run:
        assert len(run.reconciled) == 1
        assert run.waiting() == {Request("default", "a"): 60.0}

        assert run.step() == 60.0
        assert len(run.reconciled) == 2

        run.advance(300.0)
        assert len(run.reconciled) == 7


def test_ete_10_backoff_is_stepped_through() -> None:
    def fail(obj: ConfigMap, ctx: Context) -> None:
        if ctx.attempt < 4:
            raise ConnectionError("not yet")

    with controller_test(fail, [config_map("a")], clock=FakeClock(), allow_errors=True, backoff=(1.0, 60.0)) as run:
        delays = []
        while (seconds := run.step()) is not None:
            delays.append(round(seconds, 3))

        assert delays == [1.0, 2.0, 4.0, 8.0]
        assert len(run.errors) == 4
        assert str(run.reconciled[0]) == "default/a: raised ConnectionError"


def test_ete_10_what_the_reconciler_raises_fails_the_test() -> None:
    def broken(obj: ConfigMap, ctx: Context) -> None:
        raise KeyError("spec")

    with pytest.raises(KeyError) as caught, controller_test(broken, [config_map("a")]):
        pytest.fail("the body is not reached")

    assert "raised by the reconciler for default/a" in caught.value.__notes__[0]


def test_ete_10_a_controller_that_finds_no_rest_is_named() -> None:
    def restless(obj: ConfigMap, ctx: Context) -> None:
        obj.data = {"n": str(int((obj.data or {}).get("n", "0")) + 1)}
        ctx.client.update(obj)

    with (
        pytest.raises(NotIdle, match="there is no rest"),
        controller_test(restless, [config_map("a")], allow_errors=True, timeout=0.3),
    ):
        pytest.fail("the body is not reached")


def test_ete_10_a_reconciler_of_requests_says_what_it_is_for() -> None:
    seen = []

    def reconcile(request: Request, ctx: Context) -> None:
        seen.append(request)

    with pytest.raises(TypeError, match="pass kind="):
        controller_test(reconcile)
    with controller_test(reconcile, [config_map("a")], kind=ConfigMap):
        assert seen == [Request("default", "a")]


def test_ete_10_time_is_only_turned_on_a_clock_that_can_be() -> None:
    with controller_test(copy) as run, pytest.raises(TypeError, match="FakeClock"):
        run.advance(1.0)


def test_ete_10_other_kinds_may_lead_to_requests() -> None:
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        pass

    with controller_test(reconcile, watches={Secret: lambda secret: [Request("default", secret.metadata.name)]}) as run:
        run.load(config_map("a"))
        run.settle()
        run.clientset.core_v1.secrets("default").create({"metadata": {"name": "a"}})
        run.settle()

        assert run.requests == [Request("default", "a"), Request("default", "a")]


def test_ete_10_it_runs_over_any_cluster() -> None:
    with APIServer() as server, Clientset(server.config) as cs:
        with controller_test(copy, [config_map("a", k="v")], owns=[Secret], clientset=cs, namespace="default") as run:
            assert cs.core_v1.secrets("default").get("a").data == {"k": b"v"}

            cs.core_v1.secrets("default").delete("a")
            run.settle()

            assert cs.core_v1.secrets("default").get("a").data == {"k": b"v"}
        with pytest.raises(errors.NotFound):
            cs.core_v1.secrets("default").get("b")
