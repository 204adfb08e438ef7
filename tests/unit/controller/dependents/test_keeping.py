"""What is desired and cannot be, what belongs to whom, and looking at what is outside."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Node, Secret
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.controller import Builder, Context, Dependent, DependentResult, ExternalDependent, Manager, Workflow
from k8srt.controller.dependents.belonging import ANNOTATION, EnqueuePrimary, belongs_to, label_of
from k8srt.controller.dependents.external import ExternalKeeper
from k8srt.controller.dependents.objects import ObjectKeeper
from k8srt.controller.dependents.state import DependentState, States
from k8srt.controller.dependents.workflow import WorkflowRun
from k8srt.controller.event import CreateEvent, UpdateEvent
from k8srt.controller.kinds import form_of, gvk_of
from k8srt.controller.manager.rights import rights_of
from k8srt.controller.request import Request
from k8srt.rest import Config

PRIMARY = gvk_of(ConfigMap)
REQUEST = Request("shop", "a")
CTX: Any = SimpleNamespace(request=REQUEST)


def secret(name: str, namespace: str = "", **more: Any) -> Secret:
    return Secret(metadata=ObjectMeta(name=name, namespace=namespace, **more))


def config(name: str = "a", namespace: str = "shop") -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, uid="u"))


def bring(found: Any, primary: Any = None, **options: Any) -> None:
    dependent: Dependent[Any] = Dependent(Secret, lambda primary, ctx: found, **options)
    keeper = ObjectKeeper(dependent, lambda kind: form_of(None, kind), PRIMARY, controller="c")
    keeper.bring(primary or config(), CTX)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (config(), "dependent secret: desired must return a Secret, a dict of them, or None, not <ConfigMap"),
        ({"kind": "Secret"}, "dependent secret: desired must return a Secret, a dict of them, or None, not 'Secret'"),
        (secret(""), "dependent secret: the Secret that is desired has no name"),
        ({"x": secret("s"), "y": secret("s")}, "has the same name"),
        (secret("s", "other"), "Secret s is in namespace 'other' and cannot be owned by ConfigMap shop/a"),
    ],
)
def test_dep_01_what_cannot_be_desired(found: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        bring(found)

    assert said in str(caught.value)


def test_dep_01_what_is_in_a_namespace_must_say_in_which_if_its_primary_is_in_none() -> None:
    with pytest.raises(ValueError, match="Secret s must say"):
        bring(secret("s"), Node(metadata=ObjectMeta(name="n", uid="u")))


def test_dep_01_from_a_dependent_to_its_primary() -> None:
    handler = EnqueuePrimary(ConfigMap, namespaced=True)
    owned = secret("s", "shop")
    owned.metadata.owner_references = [
        OwnerReference(api_version="v1", kind="ConfigMap", name="boss", uid="u", controller=True),
        OwnerReference(api_version="v1", kind="ConfigMap", name="other", uid="v"),
    ]
    far = secret("s", "far", annotations={ANNOTATION: belongs_to(PRIMARY, REQUEST)})
    of_another = secret("s", "far", annotations={ANNOTATION: belongs_to(gvk_of(Secret), REQUEST)})

    assert list(handler.requests(CreateEvent(owned))) == [Request("shop", "boss")]
    assert list(handler.requests(CreateEvent(far))) == [REQUEST]
    assert list(handler.requests(UpdateEvent(far, secret("s", "far")))) == [REQUEST]
    assert list(handler.requests(CreateEvent(of_another))) == []


def test_dep_02_labels_tell_dependents_apart() -> None:
    label = label_of("c", "x" * 63, PRIMARY, REQUEST)
    others = [
        label_of("d", "x" * 63, PRIMARY, REQUEST),
        label_of("c", "y", PRIMARY, REQUEST),
        label_of("c", "x" * 63, gvk_of(Secret), REQUEST),
        label_of("c", "x" * 63, PRIMARY, Request("shop", "b")),
    ]

    assert len({label, *others}) == 5
    assert len(label) <= 63


class Account(ExternalDependent[dict[str, str]]):
    def __init__(self, **options: Any) -> None:
        super().__init__("account", **options)
        self.there: dict[str, dict[str, str]] = {}
        self.broken: set[str] = set()

    def desired(self, primary: ConfigMap, ctx: Context) -> dict[str, str]:
        return {"owner": primary.metadata.name}

    def read(self, primary: ConfigMap) -> dict[str, str] | None:
        if primary.metadata.name in self.broken:
            raise RuntimeError("down")
        return self.there.get(primary.metadata.name)

    def create(self, primary: ConfigMap, wanted: dict[str, str]) -> None:
        self.there[primary.metadata.name] = wanted

    def delete(self, primary: ConfigMap, actual: dict[str, str]) -> None:
        del self.there[primary.metadata.name]


def test_dep_02_what_is_outside_without_a_way_to_change_it_is_made_anew() -> None:
    account = Account()
    account.there["a"] = {"owner": "somebody"}

    state = ExternalKeeper(account).bring(config(), CTX)

    assert (state.result, state.ready, state.object) == (DependentResult.UPDATED, True, {"owner": "a"})


def test_dep_02_only_what_is_not_as_a_reconcile_left_it_leads_to_one() -> None:
    account, primaries = Account(), {Request("shop", name): config(name) for name in "abcd"}
    keeper = ExternalKeeper(account)
    for primary in [*primaries.values()][:3]:
        keeper.bring(primary, SimpleNamespace(request=Request.of(primary)))  # type: ignore[arg-type]
    account.there["b"] = {"owner": "somebody"}
    account.there["d"] = {"owner": "somebody"}  # no reconcile has seen it yet
    del primaries[Request("shop", "c")]

    assert [look.request.name for look in keeper.looks(primaries.get) if keeper.changed(look)] == ["b"]
    primaries[Request("shop", "c")] = config("c")
    assert [look.request.name for look in keeper.looks(primaries.get)] == ["a", "b"]


def test_dep_02_one_that_cannot_be_read_is_not_in_the_way_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    account, primaries = Account(), {Request("shop", name): config(name) for name in "ab"}
    keeper = ExternalKeeper(account)
    for primary in primaries.values():
        keeper.bring(primary, SimpleNamespace(request=Request.of(primary)))  # type: ignore[arg-type]
    account.broken.add("a")

    assert [look.request.name for look in keeper.looks(primaries.get)] == ["b"]
    assert "dependent account of shop/a could not be read" in caplog.text
    account.broken.clear()
    account.there["a"] = {"owner": "somebody"}
    assert [look.request.name for look in keeper.looks(primaries.get) if keeper.changed(look)] == ["a"]


def test_dep_02_it_is_looked_at_at_intervals_if_at_all() -> None:
    with pytest.raises(ValueError, match="dependent account: poll: more than 0 seconds, not 0"):
        Account(poll=0)
    assert ExternalKeeper(Account(poll=None)).source({}.get, None) is None  # type: ignore[arg-type]


# ---- told -----------------------------------------------------------------------------------------------------------


def nothing(primary: object, ctx: object) -> None: ...


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(Config(host="http://127.0.0.1:1"))
    yield manager
    manager.stop()


def test_dep_01_the_rights_that_it_takes(manager: Manager) -> None:
    dependents = [Dependent(Secret, nothing), Dependent(Node, nothing, delete="explicit"), Account()]
    Builder(manager).for_(ConfigMap).dependents(*dependents).uses(ConfigMap, "patch").complete(nothing)

    verbs = {
        resource: rule["verbs"]
        for rule in rights_of(manager)[""]
        for resource in rule["resources"]
        if rule["apiGroups"] == [""]
    }
    assert verbs == {
        "configmaps": ["get", "list", "patch", "watch"],
        "configmaps/finalizers": ["update"],
        "nodes": ["create", "delete", "list", "patch", "watch"],
        "secrets": ["create", "delete", "list", "patch", "watch"],
    }


def test_dep_04_what_is_told_of_a_controller(manager: Manager) -> None:
    controller = (
        Builder(manager)
        .for_(ConfigMap)
        .dependents(Dependent(Secret, nothing, depends_on="account", ready=lambda obj, ctx: True), Account(poll=5.0))
        .build(nothing)
    )

    account = {"name": "account", "depends_on": [], "conditions": [], "delete": "explicit", "poll": 5.0}
    key = {"name": "secret", "depends_on": ["account"], "conditions": ["ready"], "delete": "owner", "kind": "v1/Secret"}
    assert controller.describe()["dependents"] == [account, key]
    assert controller.debug_state()["dependents"] == {"members": [account, key], "not_ready": 0, "of": {}}


def test_dep_04_states_before_and_after() -> None:
    states = States(["a", "b"])
    assert str(states["a"]) == "a waiting, not ready"

    states.put(DependentState("a", DependentResult.FAILED, error=RuntimeError("no")))
    states.put(DependentState("b", DependentResult.WAITING, waits_for=("a",)))

    assert repr(states) == "<a failed: no; b waiting for a>"
    assert (len(states), list(states)) == (2, ["a", "b"])
    assert DependentState("c", DependentResult.CREATED, objects={"x": 1}).object is None


def test_dep_03_one_that_fails_alone_raises_its_own_error() -> None:
    class Broken:
        def bring(self, primary: Any, ctx: Any) -> DependentState:
            raise KeyError("lost")

    ctx: Any = SimpleNamespace(request=REQUEST, check=lambda: None)
    run = WorkflowRun(Workflow([Dependent(Secret, nothing)]), {"secret": Broken()}, config(), ctx)  # type: ignore[dict-item]

    with pytest.raises(KeyError, match="lost") as caught:
        run.run()
    assert caught.value.__notes__ == ["dependent secret of shop/a"]
    assert not run.ready
    run.claim("one", gvk_of(Secret), secret("s", "shop"))
    run.claim("one", gvk_of(Secret), secret("s", "shop"))
    run.claim("two", gvk_of(Secret), secret("s", "other"))
    with pytest.raises(ValueError, match="dependents one and two both keep Secret s"):
        run.claim("two", gvk_of(Secret), secret("s", "shop"))
    assert str(run) == "secret failed: 'lost'"
