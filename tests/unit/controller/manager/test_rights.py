"""The rights that a manager needs: those of its controllers, its election, its events and its webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Node, Secret
from k8srt.controller import Builder, Manager
from k8srt.controller.manager.rights import guessed, merged, rights_of
from k8srt.rest import Config

EVENTS = {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}


@pytest.fixture
def mgr() -> Iterator[Manager]:
    manager = Manager(Config(host="http://127.0.0.1:9"))
    yield manager
    manager.stop()


def nothing(request: object, ctx: object) -> None: ...


def test_bld_07_what_is_said_and_what_is_watched_is_all(mgr: Manager) -> None:
    builder = Builder(mgr).for_(ConfigMap).owns(Deployment).watches(Node, map=lambda node: [])
    builder.uses(Deployment, "create").uses(ConfigMap, "patch", part="status").complete(nothing)

    assert rights_of(mgr) == {
        "": [
            {"apiGroups": [""], "resources": ["configmaps", "nodes"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["configmaps/status"], "verbs": ["patch"]},
            {"apiGroups": [""], "resources": ["configmaps/finalizers"], "verbs": ["update"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "list", "watch"]},
            EVENTS,
        ]
    }
    assert guessed(mgr) == []
    assert mgr.rbac_rules() == rights_of(mgr)[""]


def test_bld_07_without_a_word_writing_what_is_owned_is_assumed(mgr: Manager) -> None:
    mgr.controller(ConfigMap, owns=[Deployment])(nothing)

    [deployments] = [rule for rule in mgr.rbac_rules() if rule["apiGroups"] == ["apps"]]
    assert set(deployments["verbs"]) >= {"create", "update", "patch", "delete"}
    assert guessed(mgr) == ["configmap"]


def test_bld_07_what_is_in_no_namespace_is_for_the_whole_cluster() -> None:
    mgr = Manager(Config(host="http://127.0.0.1:9"), namespace="shop")
    Builder(mgr).for_(Secret).watches(Node, map=lambda node: []).uses(Secret, "patch").complete(nothing)

    rights = rights_of(mgr)

    assert rights[""] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}]
    assert rights["shop"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "patch", "watch"]},
        EVENTS,
    ]
    mgr.stop()


def test_core_events_are_for_who_records_them(mgr: Manager) -> None:
    mgr.core_recorder("me")

    assert mgr.rbac_rules() == [{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}]


def test_using_takes_a_verb(mgr: Manager) -> None:
    with pytest.raises(ValueError, match="say which verbs"):
        Builder(mgr).uses(Deployment)


def test_rules_are_merged() -> None:
    get = {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get"]}
    named = {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"], "verbs": ["delete"]}

    assert merged([get, {**get, "verbs": ["list"]}, named]) == [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list"]},
        named,
    ]
