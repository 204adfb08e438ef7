"""Which dependents come after which, and what is wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Namespace, Secret
from k8srt.controller import Builder, Dependent, ExternalDependent, Manager, Workflow, metadata_only
from k8srt.controller.dependents.graph import Graph
from k8srt.rest import Config


def nothing(primary: object, ctx: object) -> None: ...


def one(name: str, *before: str, **options: Any) -> Dependent[Secret]:
    return Dependent(Secret, nothing, name=name, depends_on=before, **options)


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(Config(host="http://127.0.0.1:1"))
    yield manager
    manager.stop()


def test_dep_03_the_order() -> None:
    first = one("first")
    graph = Graph(
        [one("last", "left", "secret"), one("left", "first"), Dependent(Secret, nothing, depends_on=first), first]
    )

    assert (graph.order[0], graph.order[-1]) == ("first", "last")
    assert graph.members["secret"].depends_on == ("first",)
    assert sorted(graph.after["first"]) == ["left", "secret"]


def test_dep_03_what_does_not_fit_together() -> None:
    with pytest.raises(ValueError, match="dependent a depends on 'b', which is none of a, c"):
        Graph([one("a", "b"), one("c")])
    with pytest.raises(ValueError, match="two dependents are called 'a': give one of them another name="):
        Graph([one("a"), one("a")])
    with pytest.raises(ValueError, match=r"wait for one another: . after . after ."):
        Graph([one("a", "b"), one("b", "a"), one("c")])
    with pytest.raises(TypeError, match="expected a Dependent or an ExternalDependent, got <class"):
        Graph([Secret])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="a workflow needs dependents"):
        Workflow([])
    with pytest.raises(ValueError, match="the garbage collector deletes all"):
        Workflow([one("a")], finalizer="example.com/x")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "Not_A_Name"}, "not 'Not_A_Name'"),
        ({"name": "a", "delete": "never"}, "dependent a: delete: expected 'owner' or 'explicit', not 'never'"),
        ({"name": "a", "depends_on": [3]}, "dependent a: depends_on: expected names of dependents, got 3"),
        ({"name": "a", "when": True}, "dependent a: when: expected a function, got True"),
        ({"name": "a", "matches": "all"}, "dependent a: matches: expected a function, got 'all'"),
    ],
)
def test_dep_01_what_a_dependent_cannot_be(options: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        Dependent(Secret, nothing, **options)

    assert said in str(caught.value)


def test_dep_01_kinds_that_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="the metadata of Secret is not enough"):
        Dependent(metadata_only(Secret), nothing)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not the class of a resource"):
        Dependent(int, nothing)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="dependent secret: desired: expected a function, got None"):
        Dependent(Secret, None)  # type: ignore[arg-type]


def test_dep_01_what_a_controller_cannot_have(manager: Manager) -> None:
    with pytest.raises(ValueError, match=r"a Namespace is in no namespace and cannot be owned by a ConfigMap"):
        Builder(manager).for_(ConfigMap).dependents(Dependent(Namespace, nothing)).complete(nothing)
    with pytest.raises(ValueError, match="is for no kind: there is nothing for dependents to belong to"):
        Builder(manager).watches(ConfigMap, map=lambda obj: []).named("x").dependents(one("a")).complete(nothing)
    with pytest.raises(ValueError, match="one workflow: <Workflow of a> already"):
        Builder(manager).for_(ConfigMap).dependents(one("a")).dependents(one("b"))
    with pytest.raises(ValueError, match="workflow runs in threads"):
        Builder(manager).for_(ConfigMap).dependents(one("a")).with_options(run_in="process").complete(nothing)
    with pytest.raises(TypeError, match="abstract"):
        ExternalDependent("a")  # type: ignore[abstract]
    with pytest.raises(ValueError, match="is no finalizer; give the Workflow another"):
        Builder(manager).for_(ConfigMap).named("x" * 60).dependents(one("a", delete="explicit")).complete(nothing)
    Builder(manager).for_(ConfigMap).dependents(Dependent(Namespace, nothing, delete="explicit")).complete(nothing)


def test_dep_03_what_is_behind_something_that_is_deleted_explicitly_is_so_too() -> None:
    workflow = Workflow([one("a"), one("b", "a", delete="explicit"), one("c", "b"), one("d", "c"), one("e", "a")])

    assert workflow.explicit == {"b", "c", "d"}
    assert repr(workflow) == f"<Workflow of {', '.join(workflow.graph.order)}>"
    assert repr(one("c", "a", "b")) == "<Dependent c after a, b>"
