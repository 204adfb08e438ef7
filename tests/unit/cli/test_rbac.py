"""`k8srt rbac`: what is named, what is asked of it, and what is printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt.apimachinery import yamlio
from k8srt.cli.main import main
from k8srt.cli.rbac import NoManager, find_manager, manifests

MODULE = """
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.controller import Manager
from k8srt.controller.registry import Registry

registry = Registry()

@registry.controller(ConfigMap, owns=[Deployment], uses=[(Deployment, "create", "patch"), (Secret, "get")])
def says(obj, ctx): ...

@registry.controller(Secret, owns=[Deployment], name="silent")
def does_not_say(obj, ctx): ...

def make(config):
    mgr = Manager(config, namespace="shop", leader_election="op", leader_election_namespace="system")
    mgr.include(registry)
    return mgr

number = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "an_operator_to_look_at"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def test_bld_07_the_roles_of_a_manager_are_printed(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rbac", f"{module}:make", "--name", "op"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("# controller silent: its writes are guessed")
    roles = list(yamlio.load_all(out))
    assert [(role["kind"], role["metadata"]) for role in roles] == [
        ("Role", {"name": "op", "namespace": "shop"}),  # since the manager is limited to it
        ("Role", {"name": "op", "namespace": "system"}),
    ]
    assert roles[1]["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["op"],
            "verbs": ["get", "update"],
        },
    ]


def test_bld_07_a_registry_will_do(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rbac", f"{module}:registry", "--service-account", "system/op"]) == 0

    documents = list(yamlio.load_all(capsys.readouterr().out))
    assert [document["kind"] for document in documents] == ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
    assert documents[1]["metadata"]["name"] == "an-operator-to-look-at"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no_such_module_here:x", "No module named"),
        ("{}:nothing", "has no attribute 'nothing'"),
        ("{}:number", "expected a Manager, a Registry or a function that makes one, got 3"),
        ("{}", "expected MODULE:NAME"),
    ],
)
def test_what_is_no_manager_is_told(module: str, name: str, complaint: str) -> None:
    with pytest.raises(NoManager, match=complaint):
        find_manager(name.format(module))


def test_a_service_account_needs_a_namespace(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rbac", f"{module}:make", "--service-account", "op"]) == 1

    assert "expected NAMESPACE/NAME" in capsys.readouterr().err


def test_nothing_needs_no_roles() -> None:
    assert manifests({}, "op", ("", "")) == []
