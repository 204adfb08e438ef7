"""The config reloader over HTTP, in a cluster where Deployments live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.examples.config_reloader.controller import ENABLED, RESTARTED_FOR, SEEN
from k8srt.examples.config_reloader.main import make_manager
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from tests.integration.strictly import strictly

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {reloader.example.com/enabled: "true"}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx
          envFrom: [{configMapRef: {name: settings}}]
      volumes:
        - name: keys
          secret: {secretName: keys}
"""


@pytest.fixture
def server(living_server: Server) -> Server:
    return living_server


@pytest.fixture
def ns(cs: Clientset, namespace: str) -> str:
    """A namespace with what the Deployment reads."""
    cs.core_v1.config_maps(namespace).create(ConfigMap(metadata=ObjectMeta(name="settings"), data={"color": "red"}))
    cs.core_v1.secrets(namespace).create(Secret(metadata=ObjectMeta(name="keys"), data={"key": b"1"}))
    return namespace


@pytest.fixture
def web(server: Server, cs: Clientset, ns: str) -> Iterator[Deployment]:
    """A Deployment that is up, and has been looked at."""
    cs.apps_v1.deployments(ns).create(Deployment.from_yaml(WEB))
    with make_manager(server.config):
        yield cs.apps_v1.deployments(ns).wait("web", lambda web: SEEN in web.metadata.annotations and is_up(web))


def is_up(web: Deployment) -> bool:
    status = web.status
    return (
        status.observed_generation == web.metadata.generation
        and status.updated_replicas == status.replicas == status.available_replicas == 2
    )


def restarted_for(web: Deployment) -> str | None:
    return (web.spec.template.metadata.annotations or {}).get(RESTARTED_FOR)


def revision(web: Deployment) -> str:
    return web.metadata.annotations["deployment.kubernetes.io/revision"]


def pods(cs: Clientset, ns: str) -> set[str]:
    return {pod.metadata.name for pod in cs.core_v1.pods(ns).list(label_selector="app=web")}


def test_the_first_look_restarts_nothing(web: Deployment) -> None:
    assert restarted_for(web) is None
    assert revision(web) == "1"


@pytest.mark.parametrize("what", ["config map", "secret"])
def test_a_change_of_what_it_reads_replaces_its_pods(cs: Clientset, ns: str, web: Deployment, what: str) -> None:
    before = pods(cs, ns)

    if what == "config map":
        cs.core_v1.config_maps(ns).patch("settings", {"data": {"color": "green"}}, patch_type="merge")
    else:
        cs.core_v1.secrets(ns).patch("keys", {"stringData": {"key": "2"}}, patch_type="merge")

    again = cs.apps_v1.deployments(ns).wait("web", lambda web: restarted_for(web) is not None and is_up(web))
    assert restarted_for(again) == again.metadata.annotations[SEEN] != web.metadata.annotations[SEEN]
    for name in before:
        cs.core_v1.pods(ns).wait(name, "delete", timeout=20)


def test_what_changes_while_nobody_looks_counts_too(server: Server, cs: Clientset, ns: str) -> None:
    cs.apps_v1.deployments(ns).create(Deployment.from_yaml(WEB))
    with make_manager(server.config):
        cs.apps_v1.deployments(ns).wait("web", lambda web: SEEN in web.metadata.annotations)

    cs.core_v1.config_maps(ns).patch("settings", {"data": {"color": "blue"}}, patch_type="merge")

    with make_manager(server.config):
        cs.apps_v1.deployments(ns).wait("web", lambda web: restarted_for(web) is not None)


def test_who_changes_what_it_reads_gets_one_rollout(cs: Clientset, ns: str, web: Deployment) -> None:
    cs.core_v1.config_maps(ns).create(ConfigMap(metadata=ObjectMeta(name="others"), data={"color": "red"}))
    deployments = cs.apps_v1.deployments(ns)
    containers = [{"name": "web", "envFrom": [{"configMapRef": {"name": "others"}}]}]

    deployments.patch("web", {"spec": {"template": {"spec": {"containers": containers}}}}, patch_type="strategic")

    again = deployments.wait("web", lambda it: it.metadata.annotations[SEEN] != web.metadata.annotations[SEEN])
    assert restarted_for(again) is None


def test_others_and_other_changes_lead_to_nothing(cs: Clientset, ns: str, web: Deployment) -> None:
    other = Deployment.from_yaml(WEB.replace("web", "other").replace('"true"', '"false"'))
    cs.apps_v1.deployments(ns).create(other)
    cs.core_v1.config_maps(ns).patch("settings", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")
    cs.apps_v1.deployments(ns).wait("other", lambda other: is_up(other))

    cs.core_v1.secrets(ns).patch("keys", {"stringData": {"key": "3"}}, patch_type="merge")

    again = cs.apps_v1.deployments(ns).wait("web", lambda web: revision(web) != "1" and is_up(web))
    assert revision(again) == "2"  # once, for the secret
    other = cs.apps_v1.deployments(ns).get("other")
    assert restarted_for(other) is None
    assert SEEN not in (other.metadata.annotations or {})
    assert other.metadata.annotations[ENABLED] == "false"


def test_it_runs_with_the_rights_it_asks_for_and_no_others(rbac_server: Server) -> None:
    settings = ConfigMap(metadata=ObjectMeta(name="settings", namespace="default"), data={"a": "b"})
    with strictly(rbac_server, make_manager, settings, WEB) as strict, strict.manager:
        deployments = strict.admin.apps_v1.deployments("default")
        deployments.wait("web", lambda web: SEEN in (web.metadata.annotations or {}))

        strict.admin.core_v1.config_maps("default").patch("settings", {"data": {"a": "c"}}, patch_type="merge")

        deployments.wait("web", lambda web: restarted_for(web) is not None)
        strict.wait_for_event("ConfigChanged")
