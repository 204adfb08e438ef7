"""`k8srt generate --from-cluster`: the definitions are read from a server, and what comes out works against it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from k8srt.api.apiextensions.v1 import CustomResourceDefinition
from k8srt.apimachinery import yamlio
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.cli.main import main
from k8srt.codegen.cluster import Cluster
from k8srt.codegen.crd import KIND
from k8srt.codegen.package import files_of, package_files
from k8srt.discovery import DiscoveryClient
from k8srt.errors import Forbidden
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually

FOO = Path(__file__).parents[1] / "unit/codegen/crds/foo.yaml"


def await_established(definitions, name):
    with definitions.watch(field_selector=f"metadata.name={name}", timeout_seconds=10) as events:
        for event in events:
            if any(
                each.type == "Established" and each.status == "True" for each in event.object.status.conditions or ()
            ):
                return
    pytest.fail(f"{name} is not established")


@pytest.fixture
def server(own_server):
    """A server that has the definition of Foos."""
    with Clientset(own_server.config) as cs:
        for document in yamlio.load_all(FOO.read_text()):
            if document["kind"] == KIND:
                definitions = cs.apiextensions_v1.custom_resource_definitions()
                definitions.create(CustomResourceDefinition.from_dict(document))
    return own_server


@pytest.fixture
def generate(server, tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(server.kubeconfig())
    words = ["generate", "--from-cluster", "--kubeconfig", str(kubeconfig), "--output", str(tmp_path)]
    return lambda *more: main([*words, "--package", "foo_live", *more])


@pytest.mark.server_at_least("1.25")  # rules of CEL are kept
def test_a_definition_from_a_cluster_gives_the_same_bytes_as_its_file(generate, tmp_path):
    assert generate("foos.samplecontroller.k8s.io") == 0

    for path, text in package_files(yamlio.load_all(FOO.read_text()), "foo_live").items():
        assert (tmp_path / "foo_live" / path).read_text() == text, path


def test_the_generated_client_creates_and_watches_objects(generate, server, tmp_path, monkeypatch):
    assert generate("samplecontroller.k8s.io") == 0
    monkeypatch.syspath_prepend(tmp_path)
    api, client, informers = (
        importlib.import_module(f"foo_live.{name}") for name in ("api.v1alpha1", "client", "informers")
    )

    with client.Clientset(server.config) as cs:
        await_established(cs.apiextensions_v1.custom_resource_definitions(), "foos.samplecontroller.k8s.io")
        foos = cs.samplecontroller_v1alpha1.foos("default")
        made = foos.create(api.Foo(metadata=ObjectMeta(name="a"), spec=api.FooSpec(deployment_name="web")))
        assert made.spec.replicas == 1  # the server's default

        factory = informers.SharedInformerFactory(cs)
        lister = factory.samplecontroller_v1alpha1.foos.lister
        with factory:
            factory.wait_for_cache_sync(timeout=10.0).raise_for_error()
            assert lister.get("a", "default").spec.deployment_name == "web"

    for name in [name for name in sys.modules if name.startswith("foo_live")]:
        del sys.modules[name]


def test_a_definition_that_is_not_there_is_told_by_name(generate, capsys):
    assert generate("nope.samplecontroller.k8s.io") == 1
    assert '"nope.samplecontroller.k8s.io" not found' in capsys.readouterr().err


# ---- where definitions may not be read


@pytest.fixture
def reader(rbac_server):
    """A clientset of somebody who may see what a server with Foos serves, and no definitions."""
    with Clientset(rbac_server.config) as cs:
        definitions = cs.apiextensions_v1.custom_resource_definitions()
        for document in yamlio.load_all(FOO.read_text()):
            if document["kind"] == KIND:
                definitions.create(CustomResourceDefinition.from_dict(document))
        await_established(definitions, "foos.samplecontroller.k8s.io")
        discovery = DiscoveryClient.over(cs.rest_client)
        eventually(lambda: "apis/samplecontroller.k8s.io/v1alpha1" in discovery.openapi_v3(), timeout=30.0)
        with Clientset(rbac_server.config_for("reader")) as reader:
            yield reader


@pytest.mark.parametrize(
    "names",
    [["foos.samplecontroller.k8s.io"], ["samplecontroller.k8s.io"], pytest.param([], marks=pytest.mark.embedded)],
)
@pytest.mark.server_at_least("1.27")  # OpenAPI v3
def test_who_may_not_read_definitions_gets_what_openapi_tells(reader, names):
    told: list[str] = []

    made = files_of(Cluster(reader, "auto", told.append).definitions(names), "live")

    [said] = told
    assert "cannot" in said
    assert said.endswith("reading the OpenAPI documents instead")
    asked = 'ObjectMeta = field(schema={"properties": {"name": {"maxLength": 40}}})'
    wanted = package_files(yamlio.load_all(FOO.read_text()), "live")
    assert made == {path: text.replace(asked, "ObjectMeta = unset") for path, text in wanted.items()}


@pytest.mark.server_at_least("1.27")  # the reader waits for OpenAPI v3
def test_who_may_not_read_definitions_and_wants_nothing_else_is_told(reader):
    with pytest.raises(Forbidden):
        Cluster(reader, "crd").definitions()


@pytest.mark.server_at_least("1.27")  # OpenAPI v3
def test_what_has_no_definition_is_read_from_openapi(generate, tmp_path):
    assert generate("apiservices.apiregistration.k8s.io") == 0

    text = (tmp_path / "foo_live/api/v1.py").read_text()
    assert "class APIService(" in text
    assert "from k8srt.api.apiregistration.v1 import APIServiceSpec, APIServiceStatus" in text


def test_openapi_alone_names_what_is_not_there(generate, capsys):
    assert generate("--source", "openapi", "nope.example.com") == 1
    assert "the server serves no resource or group called nope.example.com" in capsys.readouterr().err
