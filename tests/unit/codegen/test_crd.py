"""Models of custom resources, generated from definitions of every shape. Contract: CLI-62."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from k8srt.apimachinery import yamlio
from k8srt.apimachinery.meta import Condition, LabelSelector
from k8srt.apimachinery.model import fields_of
from k8srt.apimachinery.structure import structure_of
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.codegen import crd
from k8srt.codegen.files import write_files
from k8srt.codegen.package import package_files
from k8srt.errors import NotFound
from k8srt.rest.config import Config

CRDS = Path(__file__).parent / "crds"


def documents(name):
    return list(yamlio.load_all((CRDS / name).read_text()))


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Generate a package from one of the files, and import a module of it."""
    root = tmp_path_factory.mktemp("generated")
    for package, name in (("foo_gen", "foo.yaml"), ("gardens_gen", "gardens.yaml")):
        write_files(root / package, package_files(documents(name), package))
    sys.path.insert(0, str(root))
    yield importlib.import_module
    sys.path.remove(str(root))
    for module in [name for name in sys.modules if name.startswith(("foo_gen", "gardens_gen"))]:
        del sys.modules[module]


@pytest.fixture(scope="module")
def foo(load):
    return load("foo_gen.api.v1alpha1")


def test_facts_of_the_resource_come_from_the_definition(foo):
    info = foo.Foo.__info__

    assert (info.resource, info.singular, info.namespaced) == ("foos", "foo", True)
    assert (info.short_names, info.categories) == (("fo",), ("all",))
    assert info.subresource("scale").gvk.kind == "Scale"
    assert foo.FooList.item is foo.Foo


def test_each_schema_has_its_type(foo):
    types = {name: info.type for name, info in fields_of(foo.FooSpec).items()}

    assert types["deployment_name"] is str
    assert types["port"] == int | str
    assert get_args(types["memory"])[0] == str | int | float
    assert types["size"].choices == ("small", "large")
    assert types["step"].choices == (1, 2)
    assert types["ratio"] is float
    assert types["pod_ips"] == list[str]
    assert types["cert"] is bytes
    assert types["started"].__origin__ is datetime
    assert types["containers"] == list[foo.FooSpecContainer]
    assert types["matrix"] == list[list[int]]
    assert types["template"] is Unstructured
    assert types["values"] is Any
    assert types["free"] == dict[str, Any]
    assert types["selector"] is LabelSelector
    assert types["from_"] is foo.FooSpecFrom
    assert fields_of(foo.FooSpecContainer)["env"].type == dict[str, foo.FooSpecContainerEnv]
    assert fields_of(foo.FooStatus)["conditions"].type == list[Condition]


def test_what_a_schema_says_beyond_types_stands_beside_the_field(foo):
    fields = fields_of(foo.FooSpec)

    assert fields["deployment_name"].required
    assert fields["deployment_name"].schema == {"minLength": 1}
    assert fields["replicas"].default == 1
    assert fields["replicas"].schema == {"maximum": 10, "minimum": 1}
    assert fields["size"].schema is None
    assert fields["ratio"].schema == {"enum": [0.5, 1]}
    assert fields["port"].schema is None
    assert fields["memory"].schema is None
    assert fields["started"].schema == {"nullable": True}
    assert (fields["containers"].list_type, fields["containers"].keys) == ("map", ("name", "protocol"))
    assert fields["pod_ips"].list_type == "set"
    assert fields["pod_ips"].schema == {"items": {"format": "ipv4"}}
    assert fields["matrix"].schema == {"items": {"items": {"minimum": 0}}}
    assert fields["node_selector"].map_type == "atomic"
    assert foo.FooSpecOwner.__map_type__ == "atomic"
    assert fields_of(foo.FooSpecContainerEnv)["value"].schema == {"pattern": r"^a\d$"}
    assert foo.Foo.__schema__["x-kubernetes-validations"][0]["rule"] == "self.metadata.name != 'x'"


def test_names_follow_the_rules_of_the_library(foo):
    fields = fields_of(foo.FooSpec)

    assert fields["foo_bar"].wire == "fooBar"
    assert fields["foo_bar_2"].wire == "foo-bar"
    assert fields["pod_ips"].wire == "podIPs"
    assert set(fields_of(foo.FooSpecFrom)) == {"copy", "int_", "next"}


def test_an_object_comes_back_as_it_went(foo):
    document = {
        "apiVersion": "samplecontroller.k8s.io/v1alpha1",
        "kind": "Foo",
        "metadata": {"name": "a"},
        "spec": {
            "deploymentName": "web",
            "port": "http",
            "size": "small",
            "cert": "YWJj",
            "started": "2026-01-02T03:04:05Z",
            "containers": [{"name": "c", "env": {"A": {"value": "a1"}}}],
            "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
            "values": [1, {"x": None}],
            "matrix": [[1], []],
            "from": {"int": 3, "copy": False},
            "foo-bar": "one",
            "fooBar": "two",
        },
    }
    obj = foo.Foo.from_dict(document)

    assert obj.spec.cert == b"abc"
    assert obj.spec.started == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert obj.spec.template.kind == "Pod"
    assert obj.spec.containers[0].env["A"].value == "a1"
    obj.spec.replicas = 2
    document["spec"]["replicas"] = 2
    assert obj.to_dict() == document


def test_structures_see_what_the_models_say(foo):
    fields = structure_of(foo.FooSpec).fields

    assert fields["step"].kind == "integer"
    assert fields["size"].kind == "string"
    assert fields["template"].embedded
    assert fields["template"].preserve_unknown
    assert fields["containers"].keys == ("name", "protocol")
    assert fields["owner"].atomic


def test_the_clientset_of_a_package_has_its_groups_beside_the_built_in_ones(load):
    config = Config(host="http://127.0.0.1:1")

    with load("foo_gen.client").Clientset(config) as cs:
        foos = cs.samplecontroller_v1alpha1.foos("web")
        assert foos.object_class is load("foo_gen.api.v1alpha1").Foo
        assert "in web" in repr(foos)
        assert cs.core_v1.pods().info.resource == "pods"
    with load("gardens_gen.client").Clientset(config) as cs:
        assert cs.plants_v1.gardens().object_class is load("gardens_gen.api.plants.v1").Garden
        assert cs.pests_v1.mice("web").object_class is load("gardens_gen.api.pests.v1").Mouse
        with pytest.raises(TypeError):
            cs.plants_v1beta1.gardens("web")


def test_the_informers_of_a_package_have_its_groups_beside_the_built_in_ones(load):
    foos = load("foo_gen.api.v1alpha1").Foo
    with load("foo_gen.client").Clientset(Config(host="http://127.0.0.1:1")) as cs:
        factory = load("foo_gen.informers").SharedInformerFactory(cs)

        assert factory.samplecontroller_v1alpha1.foos.informer is factory.informer_for(foos)
        assert "services" in repr(factory.core_v1.services)


def test_a_lister_knows_its_resource(load):
    foo, lister = load("foo_gen.api.v1alpha1").Foo, load("foo_gen.listers.v1alpha1").FooLister
    with load("foo_gen.client").Clientset(Config(host="http://127.0.0.1:1")) as cs:
        foos = lister(load("foo_gen.informers").SharedInformerFactory(cs).informer_for(foo).indexer)

        assert foos.list() == []
        with pytest.raises(NotFound, match=r'foos.samplecontroller.k8s.io "a" not found'):
            foos.get("a", "default")


def test_several_groups_get_folders_and_every_served_version_a_module(load):
    garden, beta = load("gardens_gen.api.plants.v1"), load("gardens_gen.api.plants.v1beta1")
    mouse = load("gardens_gen.api.pests.v1").Mouse

    assert not garden.Garden.__info__.namespaced
    assert fields_of(garden.GardenSpec)["beds"].type == list[garden.GardenSpecBed]
    assert get_type_hints(beta.Garden).keys() >= {"metadata"}
    assert (mouse.__info__.resource, mouse.__info__.singular) == ("mice", "maus")
    assert mouse.__wires__["to_dict_"] == "to_dict"
    assert mouse.__wires__["gvk_"] == "gvk"


def test_groups_are_named_by_their_first_word_unless_that_is_taken():
    groups = ["cert-manager.io", "a.example.com", "a.example.org", "apps.example.com"]

    assert crd.group_names(groups) == {
        "cert-manager.io": "cert_manager",
        "a.example.com": "a_example_com",
        "a.example.org": "a_example_org",
        "apps.example.com": "apps_example_com",
    }


def test_an_unserved_version_has_no_module():
    assert "api/v1alpha0.py" not in package_files(documents("foo.yaml"), "foo")


@pytest.mark.parametrize("name", ["foo.yaml", "gardens.yaml"])
def test_cli_61_the_same_input_gives_the_same_bytes_in_any_order(name):
    def shuffled(value):
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in reversed(value)}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    plain = package_files(documents(name), "foo")

    assert package_files(documents(name), "foo") == plain
    assert package_files(map(shuffled, documents(name)), "foo") == plain


def test_an_old_definition_is_refused_by_name():
    old = {
        "apiVersion": "apiextensions.k8s.io/v1beta1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a.b"},
    }

    with pytest.raises(crd.DefinitionError, match=r"a\.b: apiVersion is apiextensions.k8s.io/v1beta1, expected"):
        package_files([old], "foo")


def test_an_incomplete_definition_is_refused_with_the_missing_field():
    broken = {"kind": "CustomResourceDefinition", "metadata": {"name": "a.b"}, "spec": {"group": "b"}}

    with pytest.raises(crd.DefinitionError, match=r"a\.b: field 'names' is missing"):
        package_files([broken], "foo")


def test_input_without_a_definition_is_an_error():
    with pytest.raises(crd.DefinitionError, match="no CustomResourceDefinition"):
        package_files([{"kind": "Pod"}, None, "text"], "foo")
