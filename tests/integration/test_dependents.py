"""Dependents and workflows, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller import (
    Builder,
    Context,
    Dependent,
    DependentResult,
    ExternalDependent,
    Manager,
    Result,
    Workflow,
    WorkflowFailed,
)
from k8srt.controller.dependents.belonging import LABEL
from k8srt.controller.finalizers import with_finalizer
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing.choosing import Server
from tests.integration import test_controller_objects as objects
from tests.integration.strictly import strictly
from tests.integration.test_controller_objects import Told

LONG = 30.0
PRIMARY = {"role": "primary"}

made = objects.made


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


@pytest.fixture
def manager(server: Server, namespace: str) -> Manager:
    return Manager(server.config, namespace=namespace)


def primary(name: str = "a", *finalizers: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, labels=PRIMARY, finalizers=list(finalizers)), data=data)


def config(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def secret(name: str, **data: bytes) -> Secret:
    return Secret(metadata=ObjectMeta(name=name), data=data)


def named(kind: Callable[..., Any], suffix: str) -> Callable[[Any, Any], Any]:
    """An object called after the primary."""
    return lambda obj, ctx: kind(f"{obj.metadata.name}-{suffix}")


def results(ctx: Context) -> str:
    return " ".join(f"{name}={state.result}" for name, state in ctx.dependents.items())


def builder(manager: Manager, *dependents: Any, name: str, **options: Any) -> Builder:
    made = Builder(manager).for_(ConfigMap, labels=PRIMARY).named(name).with_options(**options)
    return made.dependents(*dependents)


# ---- one -----------------------------------------------------------------------------------------------------------


def test_dep_01_created_repaired_and_deleted(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    def key(obj: ConfigMap, ctx: Context) -> Secret | None:
        return secret("key", color=obj.data["color"].encode()) if "color" in obj.data else None

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        state = ctx.dependents["secret"]
        told.add(f"{state.result} {state.object.data['color'].decode() if state.object else None} {state.ready}")

    builder(manager, Dependent(Secret, key), name="one").complete(reconcile)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        owner = maps.create(primary(color="red"))
        told.wait_for("created red True")
        got = secrets.get("key")
        assert got.data == {"color": b"red"}
        [ref] = got.metadata.owner_references
        assert (ref.kind, ref.name, ref.uid, ref.controller) == ("ConfigMap", "a", owner.metadata.uid, True)
        assert not maps.get("a").metadata.finalizers

        maps.annotate("a", touched="yes")
        told.wait_for("unchanged red True")
        path = f"/api/v1/namespaces/{namespace}/secrets"
        assert writes.all == [f"PATCH {path}/key"]

        secrets.patch("key", {"data": {"color": "Ymx1ZQ=="}}, patch_type="merge")
        told.wait_for("updated red True")
        assert secrets.get("key").data == {"color": b"red"}
        secrets.delete("key")
        told.wait_for("created red True", 2)

        maps.patch("a", {"data": {"color": None, "no": "color"}}, patch_type="merge")
        told.wait_for("deleted None True")
        secrets.wait("key", "delete", timeout=LONG)
        maps.annotate("a", touched="again")
        told.wait_for("absent None True")
    assert writes.all == [f"PATCH {path}/key"] * 3 + [f"DELETE {path}/key"]


def test_dep_01_what_is_called_otherwise_now_leaves_nothing_behind(
    cs: Clientset, namespace: str, manager: Manager
) -> None:
    told = Told()
    builder(manager, Dependent(Secret, lambda obj, ctx: secret(obj.data["name"])), name="renamed").complete(
        lambda obj, ctx: told.add(results(ctx))
    )
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(ConfigMap(metadata=primary().metadata, data={"name": "first"}))
        told.wait_for("secret=created")
        maps.patch("a", {"data": {"name": "second"}}, patch_type="merge")
        secrets.wait("first", "delete", timeout=LONG)

    assert secrets.get("second").metadata.labels[LABEL].startswith("secret.")


def test_dep_01_a_function_says_what_will_do(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def matches(desired: Secret, actual: Secret) -> bool:
        return actual.data["size"] >= desired.data["size"]

    dependent = Dependent(Secret, lambda obj, ctx: secret("s", size=b"2"), matches=matches)
    builder(manager, dependent, name="matching").complete(lambda obj, ctx: told.add(results(ctx)))
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("secret=created")
        secrets.patch("s", {"data": {"size": "OQ=="}}, patch_type="merge")
        told.wait_for("secret=unchanged")
        assert secrets.get("s").data == {"size": b"9"}
        secrets.patch("s", {"data": {"size": "MQ=="}}, patch_type="merge")
        told.wait_for("secret=updated")
        assert secrets.get("s").data == {"size": b"2"}


def test_dep_01_what_is_going_is_waited_for_and_made_anew(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()
    builder(manager, Dependent(Secret, named(secret, "s")), name="going").complete(
        lambda obj, ctx: told.add(f"{results(ctx)} {ctx.workflow.ready}")
    )
    secrets = cs.core_v1.secrets(namespace)
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("secret=created True")
        first = secrets.patch("a-s", {"metadata": {"finalizers": ["example.com/held"]}}, patch_type="merge")
        secrets.delete("a-s")
        told.wait_for("secret=waiting False")
        secrets.patch("a-s", {"metadata": {"finalizers": None}}, patch_type="merge")
        told.wait_for("secret=created True", 2)

    assert secrets.get("a-s").metadata.uid != first.metadata.uid


def test_dep_01_explicit_ones_may_be_elsewhere_and_go_before_the_primary(
    cs: Clientset, namespace: str, server: Server
) -> None:
    told = Told()
    elsewhere = cs.core_v1.namespaces().create({"metadata": {"generateName": f"{namespace}-"}}).metadata.name

    def far(obj: ConfigMap, ctx: Context) -> Secret:
        return Secret(metadata=ObjectMeta(name="far", namespace=elsewhere), data={"a": b"1"})

    manager = Manager(server.config, default_namespaces=[namespace, elsewhere])
    builder(manager, Dependent(Secret, far, delete="explicit"), name="far").complete(
        lambda obj, ctx: told.add(results(ctx))
    )
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(elsewhere)
    with manager:
        maps.create(primary())
        told.wait_for("secret=created")
        assert not secrets.get("far").metadata.owner_references
        assert maps.get("a").metadata.finalizers == ["k8srt.io/far-dependents"]
        secrets.delete("far")
        told.wait_for("secret=created", 2)
        maps.delete("a")
        maps.wait("a", "delete", timeout=LONG)

    with pytest.raises(errors.NotFound):
        secrets.get("far")


def test_dep_01_objects_without_a_class(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    def quota(obj: ConfigMap, ctx: Context) -> Unstructured:
        return Unstructured.from_dict(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "q"},
                "spec": {"hard": {"pods": obj.data["pods"]}},
            }
        )

    builder(manager, Dependent(("", "v1", "ResourceQuota"), quota), name="plain").complete(
        lambda obj, ctx: told.add(results(ctx))
    )
    maps, quotas = cs.core_v1.config_maps(namespace), cs.core_v1.resource_quotas(namespace)
    with manager:
        maps.create(primary(pods="3"))
        told.wait_for("resourcequota=created")
        maps.patch("a", {"data": {"pods": "4"}}, patch_type="merge")
        told.wait_for("resourcequota=updated")
        assert str(quotas.get("q").spec.hard["pods"]) == "4"
        maps.annotate("a", touched="yes")
        told.wait_for("resourcequota=unchanged")
    assert writes.all == [f"PATCH /api/v1/namespaces/{namespace}/resourcequotas/q"] * 2


@pytest.mark.cluster
def test_dep_01_the_garbage_collector_deletes_what_is_owned(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()
    builder(manager, Dependent(Secret, named(secret, "s")), name="collected").complete(
        lambda obj, ctx: told.add(results(ctx))
    )
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("secret=created")
        maps.delete("a")
        secrets.wait("a-s", "delete", timeout=LONG)


# ---- several, and such as are elsewhere ----------------------------------------------------------------------------


def test_dep_02_several_under_keys(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def shards(obj: ConfigMap, ctx: Context) -> Mapping[str, Secret]:
        return {key: secret(f"shard-{key}") for key in obj.data["shards"].split()}

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        state = ctx.dependents["shards"]
        told.add(f"{state.result} {' '.join(f'{key}={each.metadata.name}' for key, each in state.objects.items())}")

    builder(manager, Dependent(Secret, shards, name="shards"), name="several").complete(reconcile)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        secrets.create(secret("shard-by-hand"))
        maps.create(primary(shards="x y"))
        told.wait_for("created x=shard-x y=shard-y")
        maps.patch("a", {"data": {"shards": "y z"}}, patch_type="merge")
        told.wait_for("created y=shard-y z=shard-z")
        secrets.wait("shard-x", "delete", timeout=LONG)
        maps.patch("a", {"data": {"shards": "z"}}, patch_type="merge")
        told.wait_for("deleted z=shard-z")
        maps.patch("a", {"data": {"shards": ""}}, patch_type="merge")
        secrets.wait("shard-z", "delete", timeout=LONG)

    names = {each.metadata.name for each in secrets.list()}
    assert {name for name in names if name.startswith("shard")} == {"shard-by-hand"}


class Buckets(ExternalDependent[str]):
    """Something elsewhere, in memory."""

    def __init__(self, told: Told, **options: Any) -> None:
        super().__init__("bucket", **options)
        self.there: dict[str, str] = {}
        self._told = told

    def desired(self, primary: ConfigMap, ctx: Context) -> str | None:
        return primary.data.get("region")

    def read(self, primary: ConfigMap) -> str | None:
        return self.there.get(primary.metadata.name)

    def create(self, primary: ConfigMap, wanted: str) -> str:
        self._told.add(f"create {wanted}")
        self.there[primary.metadata.name] = wanted
        return wanted

    def update(self, primary: ConfigMap, actual: str, wanted: str) -> None:
        self._told.add(f"update {actual} {wanted}")
        self.there[primary.metadata.name] = wanted

    def delete(self, primary: ConfigMap, actual: str) -> None:
        self._told.add(f"delete {actual}")
        del self.there[primary.metadata.name]


def test_dep_02_something_outside_is_polled_and_repaired(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()
    buckets = Buckets(told, poll=0.05)
    builder(manager, buckets, name="outside").complete(
        lambda obj, ctx: told.add(f"{results(ctx)} {ctx.dependents['bucket'].object}")
    )
    maps = cs.core_v1.config_maps(namespace)
    with manager:
        maps.create(primary(region="north"))
        told.wait_for("bucket=created north")
        buckets.there["a"] = "south"
        told.wait_for("update south north")
        told.wait_for("bucket=updated north")
        maps.patch("a", {"data": {"region": "west"}}, patch_type="merge")
        told.wait_for("bucket=updated west")
        maps.patch("a", {"data": {"region": None, "no": "region"}}, patch_type="merge")
        told.wait_for("bucket=deleted None")
        maps.patch("a", {"data": {"region": "east"}}, patch_type="merge")
        told.wait_for("bucket=created east")
        maps.delete("a")
        maps.wait("a", "delete", timeout=LONG)

    assert buckets.there == {}
    assert told.all.count("delete east") == 1


# ---- the order -----------------------------------------------------------------------------------------------------


def test_dep_03_what_is_not_ready_holds_up_what_comes_after(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def is_ready(obj: ConfigMap, ctx: Context) -> bool:
        return (obj.metadata.annotations or {}).get("ready") == "yes"

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        waits_for = ",".join(ctx.dependents["secret"].waits_for)
        told.add(f"{results(ctx)} {ctx.workflow.ready} {waits_for}")

    workflow = [
        Dependent(Secret, named(secret, "s"), depends_on="configmap"),
        Dependent(ConfigMap, named(config, "c"), ready=is_ready),
    ]
    builder(manager, *workflow, name="ordered").complete(reconcile)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("configmap=created secret=waiting False configmap")
        with pytest.raises(errors.NotFound):
            secrets.get("a-s")
        [controller] = manager.controllers
        shown = controller.debug_state()["dependents"]
        assert [each["name"] for each in shown["members"]] == ["configmap", "secret"]
        maps.annotate("a-c", ready="yes")
        told.wait_for("configmap=unchanged secret=created True ")
        assert secrets.get("a-s").metadata.owner_references[0].name == "a"


def test_dep_03_what_is_not_wanted_is_deleted_with_what_depends_on_it(
    cs: Clientset, namespace: str, manager: Manager
) -> None:
    told = Told()

    def is_on(obj: ConfigMap, ctx: Context) -> bool:
        return obj.data["on"] == "yes"

    workflow = [
        Dependent(ConfigMap, named(config, "c"), when=is_on, deleted=lambda obj, ctx: told.add("c is gone") is None),
        Dependent(Secret, named(secret, "s"), depends_on="configmap", deleted=lambda *_: told.add("s is gone") is None),
        Dependent(Secret, named(secret, "t"), name="other"),
    ]
    builder(manager, *workflow, name="wanted").complete(lambda obj, ctx: told.add(results(ctx)))
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary(on="yes"))
        told.wait_for("configmap=created other=created secret=created")
        maps.patch("a", {"data": {"on": "no"}}, patch_type="merge")
        told.wait_for("configmap=deleted other=unchanged secret=deleted")
        assert told.all.index("s is gone") < told.all.index("c is gone")
        maps.wait("a-c", "delete", timeout=LONG)
        secrets.wait("a-s", "delete", timeout=LONG)
        assert secrets.get("a-t").metadata.name == "a-t"
        maps.patch("a", {"data": {"on": "yes"}}, patch_type="merge")
        told.wait_for("configmap=created other=unchanged secret=created")


def test_dep_03_independent_branches_run_at_the_same_time(cs: Clientset, namespace: str, manager: Manager) -> None:
    told, meeting = Told(), threading.Barrier(2, timeout=LONG)

    def together(suffix: str) -> Callable[[Any, Any], Secret]:
        def desired(obj: ConfigMap, ctx: Context) -> Secret:
            if not told.all:
                meeting.wait()
            return secret(f"{obj.metadata.name}-{suffix}")

        return desired

    workflow = [
        Dependent(Secret, named(secret, "first"), name="first"),
        Dependent(Secret, together("left"), name="left", depends_on="first"),
        Dependent(Secret, together("right"), name="right", depends_on="first"),
        Dependent(Secret, named(secret, "last"), name="last", depends_on=["left", "right"]),
    ]
    builder(manager, *workflow, name="branches").complete(lambda obj, ctx: told.add(results(ctx)))
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("first=created left=created right=created last=created")


def test_dep_03_a_failure_stops_only_its_branch_and_all_are_raised(
    cs: Clientset, namespace: str, manager: Manager
) -> None:
    told, raised = Told(), []

    def fails(text: str) -> Callable[[Any, Any], Any]:
        def desired(obj: ConfigMap, ctx: Context) -> Any:
            raise RuntimeError(text)

        return desired

    def on_error(obj: ConfigMap, err: BaseException, ctx: Context) -> Result:
        raised.append(err)
        told.add(results(ctx))
        return Result()

    workflow = [
        Dependent(Secret, fails("no key"), name="bad"),
        Dependent(Secret, named(secret, "after"), name="after-bad", depends_on="bad"),
        Dependent(Secret, fails("no cup"), name="worse"),
        Dependent(Secret, named(secret, "good"), name="good"),
        Dependent(Secret, named(secret, "better"), name="after-good", depends_on="good"),
    ]
    builder(manager, *workflow, name="failing", on_error=on_error).complete(lambda obj, ctx: told.add("called"))
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("bad=failed worse=failed good=created after-bad=waiting after-good=created")

    [failed] = raised
    assert isinstance(failed, WorkflowFailed)
    assert str(failed) == "[bad: no key, worse: no cup]"
    assert [str(each) for each in failed.exceptions] == ["no key", "no cup"]
    assert failed.exceptions[0].__notes__ == [f"dependent bad of {namespace}/a"]
    assert "called" not in told.all


def test_dep_03_errors_may_be_left_to_the_reconciler(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        if not told.all:
            told.add(f"before {results(ctx)}")
            ctx.workflow.run()
            told.add(f"{results(ctx)} {ctx.workflow.errors}")

    def fails(obj: ConfigMap, ctx: Context) -> None:
        raise ZeroDivisionError("no")

    workflow = Workflow([Dependent(Secret, fails)], by_hand=True, raises=False)
    builder(manager, workflow, name="by-hand").complete(reconcile)
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("before secret=waiting")
        told.wait_for("secret=failed [ZeroDivisionError('no')]")


def test_dep_03_a_kind_that_is_not_there_is_watched_once_it_is_active(
    cs: Clientset, namespace: str, manager: Manager
) -> None:
    told, group = Told(), f"{namespace}.example.com"

    def widget(obj: ConfigMap, ctx: Context) -> Unstructured:
        return Unstructured.from_dict({"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}})

    def is_active(obj: ConfigMap, ctx: Context) -> bool:
        return obj.data["widgets"] == "yes"

    workflow = [
        Dependent((group, "v1", "Widget"), widget, active=is_active),
        Dependent(Secret, named(secret, "s"), depends_on="widget"),
    ]
    builder(manager, *workflow, name="active").complete(lambda obj, ctx: told.add(results(ctx)))
    maps = cs.core_v1.config_maps(namespace)
    schema = {"openAPIV3Schema": {"type": "object"}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    with manager:
        maps.create(primary(widgets="no"))
        told.wait_for("widget=inactive secret=absent")
        cs.apply(definition)
        try:
            maps.patch("a", {"data": {"widgets": "yes"}}, patch_type="merge")
            told.wait_for("widget=created secret=created")
            cs.resource(f"widgets.{group}", namespace).delete("w")
            told.wait_for("widget=created secret=unchanged")
            maps.patch("a", {"data": {"widgets": "no"}}, patch_type="merge")
            told.wait_for("widget=inactive secret=deleted")
            assert cs.resource(f"widgets.{group}", namespace).get("w").metadata.name == "w"
        finally:
            cs.delete(definition)


def test_dep_03_what_depends_on_something_is_deleted_before_it(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def is_gone(what: str) -> Callable[[Any, Any], bool]:
        return lambda obj, ctx: told.add(f"{what} is gone") is None

    @with_finalizer("example.com/mine", cleanup=lambda obj, ctx: told.add("cleaned up"))
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        told.add(results(ctx))

    def held(obj: ConfigMap, ctx: Context) -> Secret:
        return Secret(metadata=ObjectMeta(name="held", finalizers=["example.com/held"]))

    workflow = Workflow(
        [
            Dependent(ConfigMap, named(config, "c"), delete="explicit", deleted=is_gone("c")),
            Dependent(Secret, held, depends_on="configmap", deleted=is_gone("s")),  # though it is owned
        ],
        finalizer="example.com/dependents",
    )
    builder(manager, workflow, name="reverse").complete(reconcile)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("configmap=created secret=created")
        assert set(
            maps.wait("a", lambda obj: len(obj.metadata.finalizers or ()) == 2, timeout=LONG).metadata.finalizers
        ) == {
            "example.com/dependents",
            "example.com/mine",
        }
        maps.delete("a")
        secrets.wait("held", lambda obj: obj.metadata.deletion_timestamp is not None, timeout=LONG)
        assert maps.get("a-c").metadata.deletion_timestamp is None
        secrets.patch("held", {"metadata": {"finalizers": None}}, patch_type="merge")
        maps.wait("a", "delete", timeout=LONG)

    first = [told.all.index(each) for each in ("s is gone", "c is gone", "cleaned up")]
    assert first == sorted(first)
    assert {each.metadata.name for each in maps.list(label_selector=LABEL)} == set()


# ---- what leads to a reconcile -------------------------------------------------------------------------------------


def test_dep_05_own_writes_lead_nowhere_and_those_of_others_do(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()
    reasons: list[str] = []

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        reasons.extend(f"{reason.source} {reason.event}" for reason in ctx.reasons)
        told.add(results(ctx))

    builder(manager, Dependent(Secret, lambda obj, ctx: secret("s", a=b"1")), name="own").complete(reconcile)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("secret=created")
        secrets.annotate("s", by="somebody")  # its event comes after that of our own write
        told.wait_for("secret=unchanged")
        secrets.patch("s", {"data": {"a": "Mg=="}}, patch_type="merge")
        told.wait_for("secret=updated")
        secrets.annotate("s", by="another")
        told.wait_for("secret=unchanged", 2)

    assert told.all == ["secret=created", "secret=unchanged", "secret=updated", "secret=unchanged"]
    assert reasons[0].startswith("for ConfigMap ")
    assert reasons[1:] == ["dependent Secret updated"] * 3


def test_dep_05_who_was_faster_is_heard(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told, raced = Told(), Told(), threading.Event()
    manager = made(writes)
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)

    def who(obj: Secret) -> str:
        return (obj.metadata.annotations or {}).get("by", "")

    def matches(desired: Secret, actual: Secret) -> bool:
        if who(actual) != "first" or raced.is_set():
            return actual.data == desired.data
        raced.set()
        secrets.annotate("s", by="second")  # after it was read, before it is written
        return False

    builder(manager, Dependent(Secret, lambda obj, ctx: secret("s", a=b"1"), matches=matches), name="raced").complete(
        lambda obj, ctx: told.add(f"{results(ctx)} {who(ctx.dependents['secret'].object)} {len(ctx.reasons)}")
    )
    with manager:
        maps.create(primary())
        told.wait_for("secret=created  1")
        secrets.annotate("s", by="first")
        told.wait_for("secret=updated second 1")
        told.wait_for("secret=unchanged second 1")  # because of what the other one did

    assert writes.all == [f"PATCH /api/v1/namespaces/{namespace}/secrets/s"] * 3  # one of them was refused


def test_dep_05_ensuring_in_a_reconciler_with_dependents_leads_nowhere_too(
    cs: Clientset, namespace: str, manager: Manager
) -> None:
    told = Told()

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        told.add(f"{ctx.ensure(Secret(metadata=ObjectMeta(name='more', namespace=namespace)))}")

    builder(manager, Dependent(Secret, named(secret, "s")), name="ensuring").complete(reconcile)
    secrets = cs.core_v1.secrets(namespace)
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("created")
        secrets.annotate("more", by="somebody")
        told.wait_for("unchanged")
        assert told.all == ["created", "unchanged"]


def test_dep_04_states_are_told_by_name(cs: Clientset, namespace: str, manager: Manager) -> None:
    told, seen = Told(), []

    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        seen.append((dict(ctx.dependents), ctx.workflow.ready, repr(ctx.workflow)))
        with pytest.raises(KeyError, match="there is no dependent 'other', only secret"):
            ctx.dependents["other"]
        told.add("seen")

    builder(manager, Dependent(Secret, named(secret, "s")), name="states").complete(reconcile)
    with manager:
        cs.core_v1.config_maps(namespace).create(primary())
        told.wait_for("seen")

    states, ready, text = seen[0]
    assert (states["secret"].result, states["secret"].ready, ready) == (DependentResult.CREATED, True, True)
    assert (states["secret"].object.metadata.name, states["secret"].objects.keys()) == ("a-s", {""})
    assert text == f"<WorkflowRun of {namespace}/a: <secret created, ready>>"


# ---- with everything else -------------------------------------------------------------------------------------------


def test_dep_01_it_runs_with_the_rights_it_asks_for_and_no_others(rbac_server: Server) -> None:
    told = Told()

    def make_manager(config: Config) -> Manager:
        manager = Manager(config, default_namespaces=["default"])
        manager.controller(
            ConfigMap,
            labels=PRIMARY,
            name="strict",
            uses=[(ConfigMap, "patch")],
            dependents=[
                Dependent(Secret, named(secret, "s")),
                Dependent(Secret, named(secret, "t"), name="explicit", delete="explicit"),
            ],
        )(lambda obj, ctx: told.add(results(ctx)))
        return manager

    with strictly(rbac_server, make_manager) as strict, strict.manager:
        maps, secrets = strict.admin.core_v1.config_maps("default"), strict.admin.core_v1.secrets("default")
        maps.create(primary())
        told.wait_for("secret=created explicit=created")
        secrets.delete("a-s")
        told.wait_for("secret=created explicit=unchanged")
        maps.delete("a")
        maps.wait("a", "delete", timeout=LONG)
        with pytest.raises(errors.NotFound):
            secrets.get("a-t")


def test_dep_03_a_clean_up_of_ones_own_comes_last(cs: Clientset, namespace: str, manager: Manager) -> None:
    told = Told()

    def clean_up(obj: ConfigMap, ctx: Context) -> None:
        told.add(f"cleaned up {len(ctx.client.list(Secret, namespace=namespace, label_selector=LABEL))}")

    @manager.controller(
        ConfigMap,
        labels=PRIMARY,
        dependents=[Dependent(Secret, named(secret, "s"), delete="explicit")],
        finalizer="example.com/mine",
        cleanup=clean_up,
    )
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        told.add(results(ctx))

    maps = cs.core_v1.config_maps(namespace)
    with manager:
        maps.create(primary())
        told.wait_for("secret=created")
        maps.wait("a", lambda obj: len(obj.metadata.finalizers or ()) == 2, timeout=LONG)
        maps.delete("a")
        maps.wait("a", "delete", timeout=LONG)

    assert [each for each in told.all if each.startswith("cleaned")] == ["cleaned up 0"]


def test_dep_03_a_deletion_that_takes_its_time_is_looked_at_again(
    cs: Clientset, namespace: str, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, away = Told(), threading.Event()
    monkeypatch.setattr("k8srt.controller.dependents.bound.LOOK_AGAIN", 0.05)

    def is_gone(obj: ConfigMap, ctx: Context) -> bool:
        told.add("asked")
        return away.is_set()

    dependent = Dependent(Secret, named(secret, "s"), when=lambda obj, ctx: obj.data["on"] == "yes", deleted=is_gone)
    builder(manager, dependent, name="slowly").complete(
        lambda obj, ctx: told.add(f"{results(ctx)} {ctx.workflow.ready}")
    )
    maps = cs.core_v1.config_maps(namespace)
    with manager:
        maps.create(primary(on="yes"))
        told.wait_for("secret=created True")
        maps.patch("a", {"data": {"on": "no"}}, patch_type="merge")
        told.wait_for("asked", 3)
        assert "secret=absent True" not in told.all
        away.set()
        told.wait_for("secret=absent True")
