"""Putting controllers together, in a chain, by decorators, and before there is a manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Node, Secret
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.controller import (
    Builder,
    Context,
    Manager,
    Registry,
    Request,
    as_reconciler,
    new_controller,
    new_controller_managed_by,
    new_unmanaged_controller,
)
from k8srt.controller.event import CreateEvent, Event
from k8srt.controller.kinds import metadata_only
from k8srt.controller.mappers import by_annotation, by_index, by_label
from k8srt.controller.predicate import GenerationChanged, LabelChanged
from k8srt.controller.reconciling.adapting import as_reconcile
from k8srt.controller.source import Kind
from k8srt.rest import Config
from tests.unit.controller.rig import ByHand, config_map


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(Config(host="http://127.0.0.1:1"))
    yield manager
    manager.stop()


def quiet(request: Request, ctx: Context) -> None: ...


class Queue:
    """Requests that were queued."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def add_with(self, items: Any, **options: Any) -> None:
        self.requests += items


def led_to(controller: Any, kind: type[Any], event: Event) -> list[str]:
    """Which requests an event of a kind leads to."""
    queue = Queue()
    for source in controller._watching.sources:
        if isinstance(source, Kind) and source.kind is kind:
            source.pass_on(event, queue)
    return [str(request) for request in queue.requests]


def owned_by(name: str, *, controller: bool) -> list[OwnerReference]:
    return [OwnerReference(api_version="v1", kind="ConfigMap", name=name, uid="u", controller=controller)]


# ---- builder --------------------------------------------------------------------------------------------------------


def test_bld_01_a_chain_makes_a_controller(manager: Manager) -> None:
    raw = ByHand()
    controller = (
        new_controller_managed_by(manager)
        .for_(ConfigMap)
        .owns(Secret)
        .watches(Deployment, map=lambda obj: [Request("x", obj.metadata.name)])
        .watches_raw_source(raw)
        .with_event_filter(lambda obj: obj.metadata.name != "no")
        .with_options(workers=3)
        .named("chain")
        .build(quiet)
    )

    assert (controller.name, controller.options.workers) == ("chain", 3)
    assert controller in manager.controllers
    assert led_to(controller, ConfigMap, CreateEvent(config_map("a"))) == ["default/a"]
    assert led_to(controller, ConfigMap, CreateEvent(config_map("no"))) == []
    deployment = Deployment(metadata=ObjectMeta(name="web", namespace="default"))
    assert led_to(controller, Deployment, CreateEvent(deployment)) == ["x/web"]


@pytest.mark.parametrize("every", [False, True])
def test_bld_03_owners_that_control_or_every_owner(manager: Manager, every: bool) -> None:
    controller = Builder(manager).for_(ConfigMap).owns(Secret, match_every_owner=every).build(quiet)

    def secret(*, controls: bool) -> Secret:
        refs = owned_by("a", controller=controls)
        return Secret(metadata=ObjectMeta(name="s", namespace="default", owner_references=refs))

    assert led_to(controller, Secret, CreateEvent(secret(controls=True))) == ["default/a"]
    assert led_to(controller, Secret, CreateEvent(secret(controls=False))) == (["default/a"] if every else [])


def test_bld_03_filters_of_all_come_before_their_own(manager: Manager) -> None:
    asked: list[str] = []

    def ask(name: str, answer: bool) -> Any:
        def where(obj: Any) -> bool:
            asked.append(name)
            return answer

        return where

    controller = (
        Builder(manager).with_event_filter(ask("all", True)).for_(ConfigMap, where=ask("own", False)).build(quiet)
    )

    assert led_to(controller, ConfigMap, CreateEvent(config_map("a"))) == []
    assert asked == ["all", "own"]


def test_bld_02_what_does_not_fit_is_refused_before_the_start(manager: Manager) -> None:
    with pytest.raises(ValueError, match="for one kind: ConfigMap already, not Secret"):
        Builder(manager).for_(ConfigMap).for_(Secret)
    with pytest.raises(ValueError, match="owns"):
        Builder(manager).owns(Secret).named("x").build(quiet)
    with pytest.raises(ValueError, match="something to watch"):
        Builder(manager).named("x").build(quiet)
    with pytest.raises(ValueError, match="needs a name"):
        Builder(manager).watches(Secret, map=lambda obj: []).build(quiet)
    with pytest.raises(ValueError, match="needs a reconciler"):
        Builder(manager).for_(Secret).build(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a manager"):
        Builder(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not the class of a resource"):
        Builder(manager).for_(int)
    twice = Builder(manager).for_(ConfigMap)
    twice.complete(quiet)
    with pytest.raises(ValueError, match="second one"):
        twice.complete(quiet)


def test_ctl_02_names_are_unique_until_their_manager_has_stopped() -> None:
    first = Manager(Config(host="http://127.0.0.1:1"))
    first.controller(ConfigMap)(quiet)
    second = Manager(Config(host="http://127.0.0.1:1"))
    with pytest.raises(ValueError, match="'configmap' exists"):
        second.controller(ConfigMap)(quiet)
    second.controller(ConfigMap, skip_name_validation=True)(quiet)
    with pytest.raises(ValueError, match="workers"):
        second.controller(Secret, workers=0)(quiet)
    second.controller(Secret)(quiet)

    first.stop()
    second.controller(ConfigMap)(quiet)
    second.stop()


def test_ctl_01_controllers_without_a_builder(manager: Manager) -> None:
    alone = new_unmanaged_controller("alone", manager, quiet, kind=ConfigMap)
    assert alone not in manager.controllers
    added = new_controller("added", manager, quiet)
    assert added in manager.controllers
    with pytest.raises(ValueError, match="needed"):
        new_controller("none", manager, None)  # type: ignore[arg-type]


def test_bld_05_exactly_one_way_leads_on(manager: Manager) -> None:
    with pytest.raises(ValueError, match="give one of"):
        Builder(manager).watches(Secret)
    with pytest.raises(ValueError, match="not 2 of them"):
        Builder(manager).watches(Secret, by_label="x", by_index="y")
    with pytest.raises(ValueError, match="by_label"):
        Builder(manager).watches(Secret, by_label="x").named("n").build(quiet)


def test_bld_05_labels_and_annotations_name_what_to_look_at(manager: Manager) -> None:
    controller = (
        Builder(manager)
        .for_(ConfigMap)
        .watches(Secret, by_label="example.com/config")
        .watches(Deployment, by_annotation="example.com/configs")
        .build(quiet)
    )
    secret = Secret(metadata=ObjectMeta(name="s", namespace="ns", labels={"example.com/config": "a"}))
    meta = ObjectMeta(name="d", namespace="ns", annotations={"example.com/configs": "a, other/b,"})
    assert led_to(controller, Secret, CreateEvent(secret)) == ["ns/a"]
    assert led_to(controller, Deployment, CreateEvent(Deployment(metadata=meta))) == ["ns/a", "other/b"]
    assert list(by_label("l", False)(config_map("x", labels={"l": "node-1"}))) == [Request("", "node-1")]
    assert list(by_annotation("l", True)(config_map("x"))) == []


def test_bld_05_an_index_finds_who_refers_to_it() -> None:
    asked: list[Any] = []

    class Found:
        def list(self, kind: Any, **options: Any) -> list[Any]:
            asked.append((kind, options))
            return [config_map("a"), config_map("b")]

    requests = by_index(Found(), ConfigMap, "data.node", True)(config_map("n1", "ns"))

    assert [str(each) for each in requests] == ["default/a", "default/b"]
    assert asked == [(ConfigMap, {"namespace": "ns", "field_selector": {"data.node": "n1"}})]
    by_index(Found(), ConfigMap, "data.node", True)(Node(metadata=ObjectMeta(name="n1")))
    assert asked[1][1]["namespace"] == ""


def test_bld_06_both_ways_make_the_same_and_it_can_be_read_back(manager: Manager) -> None:
    chained = (
        Builder(manager)
        .for_(ConfigMap, where=GenerationChanged(), labels={"a": "b"})
        .owns(Secret)
        .watches(Node, map=lambda obj: [])
        .named("one")
        .build(quiet)
    )
    manager.controller(
        ConfigMap,
        where=GenerationChanged(),
        labels={"a": "b"},
        owns=[Secret],
        watches={Node: lambda obj: []},
        name="two",
    )(quiet)
    told = chained.describe()

    assert {**manager.controllers[1].describe(), "name": "one"} == told
    assert (told["for"], told["owns"], told["watches"]) == ("v1/ConfigMap", ["v1/Secret"], ["v1/Node"])
    assert told["filters"] == ["for ConfigMap: <GenerationChanged>", "for ConfigMap: <labels {'a': 'b'}>"]
    assert {"apiGroups": [""], "resources": ["configmaps/status"], "verbs": ["get", "patch", "update"]} in told["rules"]
    assert {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]} in told["rules"]
    secrets = next(rule for rule in told["rules"] if rule["resources"] == ["secrets"])
    assert secrets["verbs"] == ["create", "delete", "get", "list", "patch", "update", "watch"]


# ---- reconcilers ----------------------------------------------------------------------------------------------------


class FakeClient:
    def get_or_none(self, kind: Any, key: Request) -> Any:
        return config_map(key.name) if key.name == "there" else None


class FakeContext:
    client = FakeClient()


def test_rec_12_and_dec_01_who_takes_an_object_is_given_it() -> None:
    seen: list[Any] = []

    def by_name(obj: Any, ctx: Any) -> None:
        seen.append(obj.metadata.name)

    def by_kind(config: ConfigMap, ctx: Any) -> None:
        seen.append(config.metadata.name)

    def by_request(request: Request, ctx: Any) -> None:
        seen.append(request)

    ctx: Any = FakeContext()
    for function in (by_name, by_kind, by_request):
        reconcile = as_reconcile(function, ConfigMap)
        reconcile(Request("default", "there"), ctx)
        reconcile(Request("default", "gone"), ctx)
    as_reconciler(ConfigMap, by_request)(Request("default", "gone"), ctx)

    assert seen == ["there", "there", Request("default", "there"), Request("default", "gone")]


def test_rec_13_objects_with_reconcile_and_callables() -> None:
    class Reconciler:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def reconcile(self, request: Request, ctx: Any) -> None:
            self.seen.append(request.name)

    class Callable_:
        def __call__(self, obj: Any, ctx: Any) -> None:
            self.name = obj.metadata.name

    ctx: Any = FakeContext()
    reconciler, called = Reconciler(), Callable_()
    as_reconcile(reconciler, ConfigMap)(Request("", "a"), ctx)  # type: ignore[arg-type]
    as_reconcile(called, ConfigMap)(Request("", "there"), ctx)

    assert reconciler.seen == ["a"]
    assert called.name == "there"


# ---- decorators -----------------------------------------------------------------------------------------------------


def test_dec_01_the_function_stays_what_it_is(manager: Manager) -> None:
    decorated = manager.controller(ConfigMap, workers=2, timeout=3.0, backoff=(1.0, 2.0))(quiet)

    assert decorated is quiet
    (controller,) = manager.controllers
    assert (controller.options.workers, controller.options.timeout) == (2, 3.0)
    with pytest.raises(ValueError, match="belong together"):
        manager.controller(Secret, finalizer="example.com/x")


def test_dec_02_functions_are_called_around_all_else(manager: Manager) -> None:
    called: list[Any] = []
    failed: list[Any] = []

    @manager.on_start
    def first(mgr: Manager) -> None:
        called.append(("first", mgr))

    @manager.on_start
    def second() -> None:
        called.append("second")

    @manager.on_stop
    def last() -> None:
        called.append("last")

    @manager.on_stop
    def before() -> None:
        called.append("before")
        raise RuntimeError("cannot")

    manager.hooks.start(manager, lambda *args: failed.append(args))
    manager.hooks.stop(manager, lambda *args: failed.append(args))

    assert called == [("first", manager), "second", "before", "last"]
    assert [(function, str(err)) for function, err in failed] == [(before, "cannot")]
    with pytest.raises(TypeError, match="function"):
        manager.on_start(3)  # type: ignore[type-var]


def test_dec_02_a_start_that_fails_is_the_last(manager: Manager) -> None:
    called: list[str] = []
    failed: list[Any] = []

    @manager.on_start
    def broken() -> None:
        raise RuntimeError("no")

    @manager.on_start
    def never() -> None:
        called.append("never")

    manager.hooks.start(manager, lambda *args: failed.append(args))

    assert (len(failed), called) == (1, [])


def test_dec_02_runnables_indexes_and_checks(manager: Manager) -> None:
    @manager.runnable
    def on_the_leader(stop: Any) -> None: ...

    @manager.runnable(need_leader_election=False)
    def everywhere(stop: Any) -> None: ...

    @manager.index(ConfigMap, "data.color")
    def color(obj: ConfigMap) -> list[str]:
        return []

    @manager.check("alive")
    def alive() -> None: ...

    @manager.check("warm", ready=True)
    def warm() -> None: ...

    with pytest.raises(ValueError, match=r"data\.color"):
        manager.index(ConfigMap, "data.color")(color)


def test_dec_04_a_registry_is_filled_before_there_is_a_manager(manager: Manager) -> None:
    registry = Registry()

    @registry.controller(ConfigMap, owns=[Secret], where=LabelChanged(), name="later")
    def reconcile(obj: ConfigMap, ctx: Context) -> None: ...

    @registry.on_start
    def started() -> None: ...

    @registry.runnable
    def runs(stop: Any) -> None: ...

    @registry.runnable(need_leader_election=False)
    def everywhere(stop: Any) -> None: ...

    @registry.index(ConfigMap, "data.size")
    def size(obj: ConfigMap) -> list[str]:
        return []

    assert (len(registry), repr(registry)) == (5, "<Registry of controller, index, on_start, runnable>")
    assert callable(reconcile)
    assert manager.controllers == []
    manager.include(registry)
    assert [controller.name for controller in manager.controllers] == ["later"]
    other = Manager(Config(host="http://127.0.0.1:1"))
    with pytest.raises(ValueError, match="later"):
        other.include(registry)
    manager.stop()
    other.include(registry)
    other.stop()
    assert "controller" in dir(registry)
    with pytest.raises(AttributeError, match="has no 'resume'"):
        registry.resume(ConfigMap)
    with pytest.raises(TypeError, match="function"):
        registry.on_stop(3)


def test_bld_04_only_the_metadata_is_watched_and_read(manager: Manager) -> None:
    asked: list[Any] = []

    class Client:
        def get_or_none(self, kind: Any, key: Request) -> Any:
            asked.append(kind)

    class Around:
        client = Client()

    controller = Builder(manager).for_(Secret, only_metadata=True).owns(ConfigMap, only_metadata=True).build(by_object)

    assert controller.kind == metadata_only(Secret)
    assert [getattr(source, "kind", None) for source in controller._watching.sources] == [
        metadata_only(Secret),
        metadata_only(ConfigMap),
    ]
    assert controller.describe()["only_metadata"] is True
    controller._reconciling._reconcile(Request("default", "a"), Around())  # type: ignore[arg-type]
    assert asked == [metadata_only(Secret)]


def by_object(obj: Any, ctx: Any) -> None: ...
