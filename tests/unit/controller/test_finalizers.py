"""Finalizers: on the object at hand, in sets, and around a reconciler."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller import finalizers as fin
from k8srt.controller.reasons import Reason
from k8srt.controller.request import Request, Result
from k8srt.testing import FakeClientset
from tests.unit.controller.client.test_writing import Direct

MINE, THEIRS = "example.com/mine", "example.com/theirs"


def config_map(*finalizers: str, deleting: bool = False) -> ConfigMap:
    meta = ObjectMeta(name="a", namespace="shop", uid="u1", finalizers=list(finalizers))
    if deleting:
        meta.deletion_timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    return ConfigMap(metadata=meta)


def test_cut_08_adding_and_removing_say_what_changed() -> None:
    obj = config_map()

    assert fin.add_finalizer(obj, MINE)
    assert not fin.add_finalizer(obj, MINE)
    assert fin.contains_finalizer(obj, MINE)
    assert obj.metadata.finalizers == [MINE]
    obj.metadata.finalizers = [MINE, THEIRS, MINE]
    assert fin.remove_finalizer(obj, MINE)
    assert obj.metadata.finalizers == [THEIRS]
    assert not fin.remove_finalizer(obj, MINE)
    assert not fin.remove_finalizer(ConfigMap(), MINE)


def test_fin_01_a_set_of_clean_ups() -> None:
    cleaned: list[str] = []

    def fails(obj: ConfigMap) -> None:
        cleaned.append("fails")
        raise RuntimeError("the bucket is not empty")

    def tells(obj: ConfigMap) -> fin.Finalized:
        cleaned.append("tells")
        return fin.Finalized(status_updated=True)

    them = fin.Finalizers()
    them.register("example.com/fails", fails)
    them.register("example.com/tells", tells)
    with pytest.raises(ValueError, match="registered already"):
        them.register("example.com/tells", tells)
    obj = config_map(THEIRS)

    assert them.finalize(obj) == fin.Finalized(updated=True)
    assert obj.metadata.finalizers == [THEIRS, "example.com/fails", "example.com/tells"]
    assert them.finalize(obj) == fin.Finalized()
    assert cleaned == []

    obj.metadata.deletion_timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(fin.FinalizersFailed, match="the bucket is not empty") as caught:
        them.finalize(obj)
    assert caught.value.result == fin.Finalized(updated=True, status_updated=True)
    assert cleaned == ["fails", "tells"]
    assert obj.metadata.finalizers == [THEIRS, "example.com/fails"]


def test_fin_01_deleting_without_it_does_nothing() -> None:
    them = fin.Finalizers()
    them.register(MINE, lambda obj: pytest.fail("not ours to clean up"))
    obj = config_map(THEIRS, deleting=True)

    assert them.finalize(obj) == fin.Finalized()
    assert obj.metadata.finalizers == [THEIRS]


def context(client: Direct, *reasons: Reason, memo: dict[Any, Any] | None = None) -> Any:
    return SimpleNamespace(
        request=Request("shop", "a"),
        client=client,
        api_reader=client.fake,
        memo={} if memo is None else memo,
        reasons=reasons,
        controller="painter",
    )


def stored(client: Direct) -> Any:
    return client.fake.core_v1.config_maps("shop").get("a")


class Calls:
    def __init__(self, result: Result | None = None) -> None:
        self.made: list[str] = []
        self.result = result

    def reconcile(self, obj: Any, ctx: Any) -> Result | None:
        assert MINE in (obj.metadata.finalizers or ())
        self.made.append("reconcile")
        return self.result

    def clean(self, obj: Any, ctx: Any) -> Result | None:
        self.made.append("clean")
        return None


def test_fin_02_it_is_there_before_the_first_reconcile() -> None:
    client, calls = Direct(config_map(THEIRS)), Calls()
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)

    around(stored(client), context(client))

    assert calls.made == ["reconcile"]
    assert stored(client).metadata.finalizers == [THEIRS, MINE]


def test_fin_02_a_stale_object_is_not_begun_with() -> None:
    client, calls = Direct(config_map()), Calls()
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    stale = stored(client)
    client.fake.core_v1.config_maps("shop").annotate("a", x="y")

    with pytest.raises(errors.Conflict):
        around(stale, context(client))

    assert calls.made == []
    assert not stored(client).metadata.finalizers


def test_fin_02_others_finalizers_stay_whoever_moves_them() -> None:
    client, calls = Direct(config_map(MINE, THEIRS, deleting=True)), Calls()
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    stale = stored(client)
    shuffled = [{"op": "replace", "path": "/metadata/finalizers", "value": [THEIRS, MINE]}]
    client.fake.core_v1.config_maps("shop").patch("a", shuffled, patch_type="json")

    around(stale, context(client))

    assert calls.made == ["clean"]
    assert stored(client).metadata.finalizers == [THEIRS]


def test_fin_02_what_fails_to_clean_up_stays() -> None:
    client = Direct(config_map(MINE, deleting=True))

    def clean(obj: Any, ctx: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fin.with_finalizer(MINE, cleanup=clean)(Calls().reconcile)(stored(client), context(client))

    assert stored(client).metadata.finalizers == [MINE]


def test_fin_03_our_own_write_is_no_reason_to_reconcile_again() -> None:
    client, calls, memo = Direct(config_map()), Calls(Result(requeue_after=30.0)), {}
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    echo = Reason("for ConfigMap", "updated", "shop/a")
    around(stored(client), context(client, Reason("for ConfigMap", "created", "shop/a"), memo=memo))

    assert around(stored(client), context(client, echo, memo=memo)) == Result(requeue_after=30.0)
    assert calls.made == ["reconcile"]

    around(stored(client), context(client, echo, Reason("owns Secret", "updated", "shop/a"), memo=memo))
    assert calls.made == ["reconcile"] * 2
    client.fake.core_v1.config_maps("shop").annotate("a", x="y")
    around(stored(client), context(client, echo, memo=memo))
    assert calls.made == ["reconcile"] * 3


def test_fin_03_gone_is_as_good_as_removed_and_cleaned_up_once() -> None:
    client, calls, memo = Direct(config_map(MINE, deleting=True)), Calls(), {}
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    seen = stored(client)

    assert around(seen, context(client, memo=memo)) is None
    with pytest.raises(errors.NotFound):
        stored(client)
    assert around(seen, context(client, memo=memo)) is None
    assert calls.made == ["clean"]
    assert around(config_map(THEIRS, deleting=True), context(client)) is None
    assert calls.made == ["clean"]


def test_fin_03_another_object_of_the_name_is_left_alone() -> None:
    client, calls = Direct(config_map(MINE, deleting=True)), Calls()
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    old = stored(client).copy()
    old.metadata.uid = "before"

    around(old, context(client))

    assert stored(client).metadata.finalizers == [MINE]


def test_fin_04_not_done_yet() -> None:
    client = Direct(config_map(MINE, deleting=True))
    again = Result(requeue_after=5.0)

    got = fin.with_finalizer(MINE, cleanup=lambda obj, ctx: again)(Calls().reconcile)(stored(client), context(client))

    assert got is again
    assert stored(client).metadata.finalizers == [MINE]


def test_fin_02_a_reconciler_of_a_request_and_a_name_that_is_none() -> None:
    got: list[Any] = []

    def reconcile(request: Request, ctx: Any) -> None:
        """What it does."""
        got.append(request)

    client = Direct(config_map(MINE))
    around = fin.with_finalizer(MINE, cleanup=Calls().clean)(reconcile)

    around(stored(client), context(client))

    assert got == [Request("shop", "a")]
    assert (around.__name__, around.__doc__) == ("reconcile", "What it does.")
    with pytest.raises(ValueError, match="domain/name"):
        fin.with_finalizer("mine", cleanup=Calls().clean)
    with pytest.raises(TypeError, match=r"with_finalizer\(\.\.\.\)\(self\.reconcile\)"):
        fin.with_finalizer(MINE, cleanup=Calls().clean)(Calls.reconcile)


def test_fin_02_removal_gives_up_where_others_never_rest() -> None:
    fake = FakeClientset(config_map(MINE, deleting=True))
    client = Direct()
    client.fake = fake
    fake.fail("patch", "configmaps", error=errors.Conflict)

    with pytest.raises(errors.K8srtError, match="could not be taken off"):
        fin.with_finalizer(MINE, cleanup=Calls().clean)(Calls().reconcile)(stored(client), context(client))


def test_fin_03_the_same_of_objects_without_a_class() -> None:
    client, calls, memo = Direct(config_map()), Calls(), {}
    around = fin.with_finalizer(MINE, cleanup=calls.clean)(calls.reconcile)
    seen = Unstructured(stored(client).to_dict())

    around(seen, context(client, memo=memo))
    around(
        Unstructured(stored(client).to_dict()), context(client, Reason("for ConfigMap", "updated", "shop/a"), memo=memo)
    )

    assert calls.made == ["reconcile"]
