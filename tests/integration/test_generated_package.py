"""The package of tests/data/crds against a server: every verb, watches, informers, and generating it from there."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from k8srt.api.apiextensions.v1 import CustomResourceDefinition
from k8srt.apimachinery import yamlio
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.cli.main import main
from k8srt.discovery import DiscoveryClient
from k8srt.errors import Invalid
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually

TESTS = Path(__file__).parents[1]
KEPT = TESTS / "typing/crds_gen"


def definitions():
    for path in sorted((TESTS / "data/crds").glob("*.yaml")):
        for document in yamlio.load_all(path.read_text()):
            yield from document.get("items", [document])


def await_established(client, name):
    with client.watch(field_selector=f"metadata.name={name}", timeout_seconds=10) as events:
        for event in events:
            found = {each.type: each.status for each in event.object.status.conditions or ()}
            if found.get("Established") == "True":
                return
    pytest.fail(f"{name} is not established")


@pytest.fixture(scope="module")
def server(module_server):
    """A server that has all definitions."""
    with Clientset(module_server.config) as cs:
        client = cs.apiextensions_v1.custom_resource_definitions()
        names = [client.create(CustomResourceDefinition.from_dict(each)).metadata.name for each in definitions()]
        for name in names:
            await_established(client, name)
    return module_server


@pytest.fixture(scope="module")
def load():
    """Import a module of the package."""
    sys.path.insert(0, str(KEPT.parent))
    yield lambda name: importlib.import_module(f"crds_gen.{name}")
    sys.path.remove(str(KEPT.parent))
    for module in [name for name in sys.modules if name.partition(".")[0] == "crds_gen"]:
        del sys.modules[module]


@pytest.fixture
def cs(server, load):
    with load("client").Clientset(server.config) as cs:
        yield cs


@pytest.fixture
def fleet(load):
    """Make a Fleet."""
    v1 = load("api.fleet.v1")

    def make(name, image="a:1"):
        container = v1.FleetSpecLeaderTemplateContainer(name="main", image=image)
        template = v1.FleetSpecLeaderTemplate(containers=[container])
        return v1.Fleet(
            metadata=ObjectMeta(name=name, labels={"app": name}),
            spec=v1.FleetSpec(leader=v1.FleetSpecLeader(template=template), workers=v1.FleetSpecWorkers()),
        )

    return make


def test_objects_are_made_read_changed_listed_watched_and_deleted(cs, fleet, namespace):
    fleets = cs.fleet_v1.fleets(namespace)

    made = fleets.create(fleet("verbs"))
    assert made.spec.workers.replicas == 1  # the server's default
    with fleets.watch(resource_version=made.metadata.resource_version, label_selector="app=verbs") as events:
        made.spec.leader.template.containers[0].image = "a:2"
        fleets.update(made)
        event = next(iter(events))
    assert (event.type, event.object.spec.leader.template.containers[0].image) == ("MODIFIED", "a:2")

    got = fleets.get("verbs")
    got.status.ready = 3
    assert fleets.update_status(got).status.ready == 3
    assert [each.metadata.name for each in fleets.list(label_selector="app=verbs")] == ["verbs"]
    assert fleets.get_scale("verbs").status.replicas == 3

    fleets.delete("verbs")
    assert not fleets.list(label_selector="app=verbs").items


def test_an_informer_and_a_lister_of_the_package_follow(cs, fleet, load, namespace):
    cs.fleet_v1.fleets(namespace).create(fleet("followed"))
    factory = load("informers").SharedInformerFactory(cs)
    fleets = factory.fleet_v1.fleets
    lister = load("listers.fleet.v1").FleetLister(fleets.informer.indexer)

    with factory:
        factory.wait_for_cache_sync(timeout=10.0).raise_for_error()
        assert lister.namespace(namespace).get("followed").spec.workers.replicas == 1
        assert fleets.lister.list(selector="app=followed")[0].metadata.name == "followed"


@pytest.mark.server_at_least("1.25")  # keys of lists in definitions
def test_apply_owns_what_was_set_and_nothing_else(cs, load, namespace):
    v1 = load("api.fleet.v1")
    container = v1.FleetSpecLeaderTemplateContainer(name="main", image="b:1")
    template = v1.FleetSpecLeaderTemplate(containers=[container])
    wanted = v1.Fleet(
        metadata=ObjectMeta(name="applied", namespace=namespace),
        spec=v1.FleetSpec(leader=v1.FleetSpecLeader(template=template)),
    )

    applied = cs.fleet_v1.fleets(namespace).apply(wanted, field_manager="me")

    owned = [each.to_dict() for each in applied.metadata.managed_fields if each.manager == "me"]
    leaf = {"f:leader": {"f:template": {"f:containers": {'k:{"name":"main"}': {".": {}, "f:image": {}, "f:name": {}}}}}}
    assert [each["fieldsV1"] for each in owned] == [{"f:spec": leaf}]


def test_both_versions_of_a_kind_are_served(cs, load, namespace):
    v1, beta = load("api.net.v1"), load("api.net.v1beta1")
    backend = v1.RouteSpecBackend(name="a", port="http")
    made = cs.net_v1.routes(namespace).create(
        v1.Route(metadata=ObjectMeta(name="both"), spec=v1.RouteSpec(host="h", backends=[backend]))
    )

    assert made.spec.backends[0].kind == "Service"
    got = cs.net_v1beta1.routes(namespace).get("both")
    assert isinstance(got, beta.Route)
    assert got.spec.host == "h"


def test_what_a_schema_lets_through_is_kept_by_a_round_trip_over_the_server(cs, load):
    v1 = load("api.free.v1")
    anything = v1.Anything.from_dict({"metadata": {"name": "free"}, "spec": {"x": [1]}, "rules": {"deep": {"y": 1}}})

    made = cs.free_v1.anythings().create(anything)
    made.spec["x"].append(2)
    got = cs.free_v1.anythings().update(made)

    assert (got.spec, got.to_dict()["rules"]) == ({"x": [1, 2]}, {"deep": {"y": 1}})


def test_embedded_resources_and_odd_names_go_there_and_come_back(cs, load, namespace):
    build, odd = load("api.build.v1"), load("api.odd.v1")
    base = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": 1}}
    spec = {"base": base, "groups": {"a": {"b": {"size": 1}}}, "grid": [[{"x": 1}]], "limit": None, "tags": []}
    blueprint = build.Blueprint.from_dict({"metadata": {"name": "b"}, "spec": spec})

    got = cs.build_v1.blueprints(namespace).create(blueprint)
    assert (got.spec.base["spec"], got.spec.tags, got.spec.enabled) == ({"x": 1}, [], True)
    assert got.to_dict()["spec"]["limit"] is None

    sample = {"$ref": "#", "class": "b", "a.b": {"c/d": "e", "1st": 1}, "名前": "n", "__init__": "i"}
    made = cs.odd_v1.odd_ones(namespace).create(odd.Odd.from_dict({"metadata": {"name": "o"}, "spec": sample}))
    assert made.to_dict()["spec"] == sample


@pytest.mark.server_at_least("1.25")  # paths with indices
def test_a_value_that_the_schema_refuses_is_refused_before_or_by_the_server(cs, load, namespace):
    v1 = load("api.fleet.v1")
    port = v1.FleetSpecLeaderTemplateContainerPort(port=70000)
    container = v1.FleetSpecLeaderTemplateContainer(name="main", ports=[port])
    template = v1.FleetSpecLeaderTemplate(containers=[container])
    made = v1.Fleet(metadata=ObjectMeta(name="bad"), spec=v1.FleetSpec(leader=v1.FleetSpecLeader(template=template)))

    with pytest.raises(Invalid, match=r"spec\.leader\.template\.containers\[0\]\.ports\[0\]\.port"):
        cs.fleet_v1.fleets(namespace).create(made)


@pytest.mark.server_at_least("1.27")  # rules of CEL are kept; OpenAPI v3
@pytest.mark.parametrize("source", ["crd", "openapi", "auto"])
def test_cli_62_what_a_cluster_tells_gives_the_same_package(server, tmp_path, source):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(server.kubeconfig())
    words = ["generate", "--from-cluster", "--kubeconfig", str(kubeconfig), "--package", "crds_gen"]

    names = [each["metadata"]["name"] for each in definitions()]
    specs = [each["spec"] for each in definitions()]
    served = {f"apis/{spec['group']}/{one['name']}" for spec in specs for one in spec["versions"] if one["served"]}
    with DiscoveryClient(server.config) as discovery:
        eventually(lambda: served <= set(discovery.openapi_v3()), timeout=30.0)  # told a moment later

    assert main([*words, "--source", source, "--output", str(tmp_path), *names]) == 0

    for path in sorted(KEPT.rglob("*.py")):
        made = (tmp_path / "crds_gen" / path.relative_to(KEPT)).read_text()
        assert made == (path.read_text() if source != "openapi" else told_by_openapi(path)), path


def told_by_openapi(path):
    """What a module is without what only a definition says: what's asked of metadata, and deprecations."""
    asked = 'ObjectMeta = field(schema={"properties": {"name": {"maxLength": 40}}})'
    doc = '"""A Route leads requests somewhere.'
    warned = f"{doc}\n\n    net.example.com/v1beta1 Route is deprecated; use v1.\n    "
    return path.read_text().replace(asked, "ObjectMeta = unset").replace(warned, doc)
