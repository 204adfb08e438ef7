"""Discovery, its caches, the mapper and what stands on them, over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.autoscaling.v1 import Scale
from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersion, GroupVersionKind, GroupVersionResource
from k8srt.discovery import CachedDiscoveryClient, DiscoveryClient, MemCacheClient
from k8srt.kubernetes import Clientset
from k8srt.scale import ScaleClient
from k8srt.testing import eventually
from k8srt.testing.choosing import Server
from k8srt.util import retry
from tests.integration.wire import Exchange, WireServer
from tests.unit.discovery.answers import Answers, failure, plain

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


class Gadget(Object, gvk="nope.io/v1/Gadget", resource="gadgets"):
    """A kind that no server here serves."""


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


@pytest.fixture
def cs(server: Server) -> Iterator[Clientset]:
    with Clientset(server.config) as made:
        yield made


def crd(group: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wdg"]},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_cli_19_both_forms_of_a_real_server_tell_the_same(server: Server) -> None:
    with DiscoveryClient(server.config) as client, DiscoveryClient(server.config, legacy=True) as plainly:
        aggregated = client.server_groups_and_resources()
        legacy = plainly.server_groups_and_resources()

    def told(lists: Any) -> dict[str, Any]:
        return {
            each.group_version: {
                one.name: (one.kind, one.namespaced, one.verbs, one.short_names, one.categories)
                for one in each.resources
            }
            for each in lists
        }

    assert told(aggregated.resources) == told(legacy.resources)
    assert [group.name for group in aggregated.groups] == [group.name for group in legacy.groups]
    assert aggregated.groups[0].name == ""


@pytest.mark.embedded
def test_cli_21_groups_that_fail_over_http_cost_nothing_else() -> None:
    answers = plain(apis_batch_v1=failure(503, "later"))
    with WireServer(respond_with(answers)) as wire, Clientset(wire.config()) as cs:
        table = cs.api_resources()
        deployments = cs.resource("deploy")

        assert [row.resource for row in table] == ["nodes", "pods", "deployments", "jobs", "olds"]
        assert [row.api_version for row in table][3] == "batch/v1beta1"
        assert set(table.failed) == {GroupVersion("batch", "v1")}
        assert repr(table).endswith("unable to retrieve the complete list of server APIs: batch/v1: later")
        assert deployments.info.gvr == DEPLOYMENTS


def respond_with(answers: Answers) -> Any:
    def respond(exchange: Exchange) -> None:
        from k8srt.testing.apiserver.messages import Request

        answer = answers.handle(Request(exchange.method, exchange.path, exchange.headers, exchange.body))
        exchange.reply(answer.status, answer.body, Content_Type=answer.content_type)

    return respond


@pytest.mark.server_at_least("1.27")  # OpenAPI v3
def test_cli_24_the_hash_of_a_document_changes_with_it(cs: Clientset) -> None:
    discovery = DiscoveryClient.over(cs.rest_client)
    before = discovery.openapi_v3()
    cs.resource("crds").create(crd("hash.example.com"))
    cs.resource("crds").wait("widgets.hash.example.com", "condition=Established")

    eventually(lambda: "apis/hash.example.com/v1" in discovery.openapi_v3(), timeout=20.0)  # told a moment later
    after = discovery.openapi_v3()

    assert set(after) - set(before) == {"apis/hash.example.com/v1"}
    assert before.paths["apis/apps/v1"] == after.paths["apis/apps/v1"]
    assert len(after.paths["apis/apps/v1"].hash) > 32
    schemas = after.schema("hash.example.com/v1")["components"]["schemas"]
    assert "com.example.hash.v1.Widget" in schemas
    assert "io.k8s.api.core.v1.Pod" in discovery.openapi_v2()["definitions"]


def test_cli_26_several_processes_may_fill_one_folder_at_once(kubeconfig: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from k8srt.discovery import CachedDiscoveryClient; from k8srt.rest import Config\n"
        "from k8srt.tools.clientcmd import load_config\n"
        "for _ in range(5):\n"
        "    client = CachedDiscoveryClient.for_config(load_config(sys.argv[1]).config, sys.argv[2])\n"
        "    client.invalidate()\n"
        "    assert len(client.server_groups_and_resources().resources) > 20\n"
        "    again = CachedDiscoveryClient.for_config(Config(host='http://127.0.0.1:1'), sys.argv[2])\n"
        "    assert len(again.server_groups_and_resources().resources) > 20\n"
    )
    folder = tmp_path / "kept"
    words = [sys.executable, "-c", code, str(kubeconfig), str(folder)]

    running = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]

    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [("", 0)] * 3
    assert not [each for each in folder.rglob("*") if each.is_file() and each.suffix != ".json"]


@pytest.mark.server_at_least("1.26")  # before that, only the document has an ETag
def test_cli_26_the_server_confirms_what_is_kept(server: Server, tmp_path: Path) -> None:
    with Clientset(server.config) as cs:
        clients = [DiscoveryClient.over(cs.rest_client, http_cache_dir=str(tmp_path)) for _ in range(2)]

        asked = [client.server_groups() for client in clients]
        documents = [client.openapi_v2() for client in clients]

    assert asked[0] == asked[1]
    assert documents[0] == documents[1]
    assert len(list(tmp_path.iterdir())) == 3  # /api, /apis, /openapi/v2


def test_cli_27_a_definition_that_came_later_is_found(cs: Clientset) -> None:
    with pytest.raises(errors.NoMatch):
        cs.resource("wdg.later.example.com")
    cs.resource("crds").create(crd("later.example.com"))
    cs.resource("crds").wait("widgets.later.example.com", "condition=Established")

    widgets = cs.resource("wdg.later.example.com", "default")

    made = widgets.create({"metadata": {"name": "w"}, "spec": {"size": 3}})
    assert (made.kind, made.api_version, made["spec"]["size"]) == ("Widget", "later.example.com/v1", 3)
    assert [each.metadata.name for each in widgets.list()] == ["w"]


def test_a_resource_by_class_text_and_names(cs: Clientset) -> None:
    cs.core_v1.config_maps("default").create(ConfigMap.from_dict({"metadata": {"name": "named"}}))

    asked = ["cm", "ConfigMap", GroupVersionResource("", "v1", "configmaps"), GroupVersionKind("", "v1", "ConfigMap")]
    found = [cs.resource(each, "default").get("named") for each in asked]

    assert {(each.kind, each.metadata.uid) for each in found} == {("ConfigMap", found[0].metadata.uid)}
    assert type(cs.resource(ConfigMap, "default").get("named")) is ConfigMap
    assert cs.resource(ConfigMap).object_class is ConfigMap
    assert cs.mapper.rest_mapping("cm").namespaced


def test_what_discovery_tells_is_held_to_before_anything_is_sent(cs: Clientset) -> None:
    with pytest.raises(ValueError, match="nodes are not in namespaces"):
        cs.resource("nodes", "default")
    with pytest.raises(ValueError, match=r"componentstatuses in v1 cannot delete; possible: get, list"):
        cs.resource("cs").delete("x")
    with pytest.raises(ValueError, match="an empty namespace may not be set during creation"):
        cs.resource("cm").create({"metadata": {"name": "a"}})
    with pytest.raises(ValueError, match=r"configmaps: expected v1 ConfigMap, got \? Pod"):
        cs.resource("cm", "default").create({"kind": "Pod", "metadata": {"name": "a"}})


def test_a_group_that_is_not_served_is_said_to_be_so(cs: Clientset) -> None:
    gadgets = cs.resource(Gadget, "default")

    with pytest.raises(
        errors.NoMatch, match=r"no resource \"gadgets\" in the group nope.io: it does not serve that group"
    ):
        cs.resource("gadgets.nope.io")
    for call in (gadgets.list, lambda: gadgets.get("g"), lambda: gadgets.create(Gadget.from_dict({}))):
        with pytest.raises(errors.NotServed, match=r"the server does not serve gadgets in nope\.io/v1"):
            call()
    with pytest.raises(errors.NotServed, match=r"does not serve ipaddresses in networking\.k8s\.io/v1beta1"):
        cs.networking_v1beta1.ip_addresses().list()
    with pytest.raises(errors.NotFound) as caught:
        cs.resource(Pod, "default").get("g")
    assert type(caught.value) is errors.NotFound


def test_all_resources_as_a_table(cs: Clientset) -> None:
    table = cs.api_resources(api_group="apps")

    assert repr(table).splitlines()[:4] == [
        "NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND",
        "controllerrevisions                apps/v1      true         ControllerRevision",
        "daemonsets            ds           apps/v1      true         DaemonSet",
        "deployments           deploy       apps/v1      true         Deployment",
    ]
    assert table[2].gvr == DEPLOYMENTS
    html = table._repr_html_()
    assert html.startswith("<table><thead><tr><th>NAME</th>")
    assert "<td>deployments</td><td>deploy</td>" in html
    kinds = {row.kind for row in cs.api_resources(namespaced=False, verbs=["list", "create"])}
    assert "Node" in kinds
    assert not kinds & {"Pod", "ComponentStatus"}
    assert {row.resource for row in cs.api_resources(categories=["all"])} >= {"pods", "deployments", "jobs"}
    assert {row.gvk.group for row in cs.api_resources(api_group="")} == {""}


def test_cli_28_scales_of_a_real_server(cs: Clientset, namespace: str, server: Server) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cs.resource("deploy", namespace).create({"metadata": {"name": "web"}, "spec": spec})

    with ScaleClient(server.config) as client:
        scales = client.resource(DEPLOYMENTS).namespace(namespace)
        scale = scales.get("web")

        def triple() -> Scale:
            current = scales.get("web")
            current.spec.replicas = 3
            return scales.update(current)

        updated = retry.on_conflict(triple)  # somebody may work on it meanwhile
        patched = scales.patch("web", {"spec": {"replicas": 5}}, patch_type="merge")

        assert (scale.status.selector, updated.spec.replicas, patched.spec.replicas) == ("app=web", 3, 5)
        assert cs.apps_v1.deployments(namespace).get("web").spec.replicas == 5
        with pytest.raises(errors.Conflict):
            scales.update(scale)
        with pytest.raises(errors.NotFound, match=r'deployments(/scale)?\.apps "nope" not found'):
            scales.get("nope")
    assert ScaleClient.over(cs.rest_client, cs.mapper).resource("rs").namespace(namespace)


def test_a_clientset_asks_for_discovery_once_and_shares_its_connections(cs: Clientset) -> None:
    assert cs.discovery is cs.discovery
    assert cs.mapper is cs.mapper
    assert isinstance(cs.discovery, MemCacheClient)
    assert not cs.discovery.fresh()

    cs.api_resources()
    cs.mapper.resource_for("po")

    assert cs.discovery.fresh()
    assert str(cs.discovery.server_version()).startswith("v1.")
    assert isinstance(cs.discovery.delegate, DiscoveryClient)
    assert cs.discovery.delegate.rest_client.transport is cs.rest_client.transport


def test_cli_26_a_folder_serves_the_next_client_without_a_request(server: Server, tmp_path: Path) -> None:
    with CachedDiscoveryClient.for_config(server.config, str(tmp_path)) as first:
        told = first.server_preferred_resources()
    config = server.config
    config.host = "http://127.0.0.1:1"

    second = CachedDiscoveryClient.for_config(config, str(tmp_path))

    assert second.server_preferred_resources() == told
    assert first.fresh()
    assert not second.fresh()
    second.invalidate()
    with pytest.raises(errors.TransportError):
        second.server_groups()
