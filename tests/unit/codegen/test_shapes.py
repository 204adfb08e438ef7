"""Definitions of the shapes that are met in the wild, in tests/data/crds: what is made of them, and how it behaves.

The package made of them is kept in tests/typing/crds_gen, where it is type-checked. Contract: CLI-61, CLI-62.
"""

from __future__ import annotations

import ast
import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from k8srt.apimachinery import yamlio
from k8srt.apimachinery.meta import Condition, ObjectMeta
from k8srt.apimachinery.model import fields_of
from k8srt.apimachinery.object import parts_of
from k8srt.apimachinery.structure import structure_of
from k8srt.codegen.package import package_files
from k8srt.errors import DecodeError
from k8srt.testing import FakeClientset

TESTS = Path(__file__).parents[2]
DATA = sorted((TESTS / "data/crds").glob("*.yaml"))
KEPT = TESTS / "typing/crds_gen"


def documents():
    return [document for path in DATA for document in yamlio.load_all(path.read_text())]


@pytest.fixture(scope="module")
def load():
    """Import a module of the package."""
    sys.path.insert(0, str(KEPT.parent))
    yield lambda name: importlib.import_module(f"crds_gen.{name}")
    sys.path.remove(str(KEPT.parent))
    for module in [name for name in sys.modules if name.partition(".")[0] == "crds_gen"]:
        del sys.modules[module]


def test_cli_61_the_package_that_is_kept_is_what_is_made():
    made = package_files(documents(), "crds_gen")

    assert {str(path.relative_to(KEPT)) for path in KEPT.rglob("*.py") if path.name != "__init__.py"} == set(made)
    for path, text in made.items():
        assert (KEPT / path).read_text() == text, path


def test_cli_61_the_order_of_files_documents_and_keys_changes_nothing():
    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    assert package_files([turned(each) for each in reversed(documents())], "crds_gen") == package_files(
        documents(), "crds_gen"
    )


def test_no_line_is_longer_than_it_must_be():
    for path, text in package_files(documents(), "crds_gen").items():
        for line in text.splitlines() if path.startswith("api/") else ():
            assert len(line) <= 120 or max(map(len, line.split(" = ")[0].split())) > 60 or '"rule"' in line, line


# ---- a template at several places


def test_parts_that_repeat_are_one_class_and_each_place_has_its_name(load):
    fleet = load("api.fleet.v1")

    assert fleet.VoyageSpecCrew is fleet.FleetSpecLeaderTemplate is fleet.FleetSpecWorkersTemplate
    assert fleet.VoyageSpecFleetSpec is fleet.FleetSpec
    assert fleet.FleetSpecWorkersTemplateInitContainer is fleet.FleetSpecLeaderTemplateContainer
    containers = fields_of(fleet.FleetSpecLeaderTemplate)["init_containers"].type
    assert containers == list[fleet.FleetSpecLeaderTemplateContainer]


def test_small_parts_of_other_names_stay_apart(load):
    fleet = load("api.fleet.v1")

    header, setting = fleet.FleetSpecLeaderTemplateContainerLivenessProbeHttpGetHeader, fleet.VoyageSpecCrewSetting
    assert fields_of(header).keys() == fields_of(setting).keys()
    assert header is not setting


def test_names_of_places_do_not_depend_on_other_definitions(load):
    fleet, *_ = (each for each in documents() if each["kind"] == "List")
    alone = package_files([fleet["items"][0]], "x")["api/v1.py"]

    for name in ("FleetSpecLeaderTemplateContainer", "FleetSpecWorkersTemplateInitContainerPort"):
        assert f"\nclass {name}(" in alone or f"\n{name} = " in alone
        assert hasattr(load("api.fleet.v1"), name)


def test_deep_objects_are_made_typed_and_come_back(load):
    v1 = load("api.fleet.v1")
    made = v1.Fleet(
        metadata=ObjectMeta(name="a"),
        spec=v1.FleetSpec(
            leader=v1.FleetSpecLeader(
                template=v1.FleetSpecLeaderTemplate(
                    containers=[
                        v1.FleetSpecLeaderTemplateContainer(
                            name="main",
                            readiness_probe=v1.FleetSpecLeaderTemplateContainerReadinessProbe(
                                http_get=v1.FleetSpecLeaderTemplateContainerReadinessProbeHttpGet(port="web")
                            ),
                            resources=v1.FleetSpecLeaderTemplateContainerResources(limits={"cpu": "500m"}),
                        )
                    ]
                )
            )
        ),
    )

    document = made.to_dict()
    assert document["spec"] == {
        "leader": {
            "template": {
                "containers": [
                    {
                        "name": "main",
                        "readinessProbe": {"httpGet": {"port": "web"}},
                        "resources": {"limits": {"cpu": "500m"}},
                    }
                ]
            }
        }
    }
    assert v1.Fleet.from_dict(document) == made
    assert fields_of(v1.FleetStatus)["conditions"].type == list[Condition]


def test_lists_know_their_keys_as_built_in_ones_do(load):
    spec = structure_of(load("api.fleet.v1").Fleet).fields["spec"]
    containers = spec.child("leader").child("template").child("containers")

    assert (containers.list_type, containers.keys) == ("map", ("name",))
    assert containers.items.child("ports").keys == ("port", "protocol")
    assert containers.items.child("ports").items.child("protocol").default == "TCP"


# ---- versions, choices, rules


def test_served_versions_have_modules_and_a_deprecated_one_says_so(load):
    assert "net.example.com/v1beta1 Route is deprecated; use v1." in load("api.net.v1beta1").Route.__doc__
    assert load("api.net.v1").Route.__doc__ == "A Route leads requests somewhere."
    assert not (KEPT / "api/net/v1alpha1.py").exists()


def test_choices_are_checked_where_they_are_made(load):
    v1 = load("api.net.v1")
    route = v1.Route(spec=v1.RouteSpec(backends=[v1.RouteSpecBackend(name="a", port=80, kind="Pod")]))

    with pytest.raises(
        DecodeError, match=r"spec\.backends\[0\]\.kind: expected one of 'Service', 'Route', '', got 'Pod'"
    ):
        route.encode()


def test_int_or_string_stays_what_it_was(load):
    v1 = load("api.net.v1")
    route = v1.Route.from_dict({"spec": {"backends": [{"name": "a", "port": "80"}, {"name": "b", "port": 80}]}})
    route.spec.host = "h"

    assert [each["port"] for each in route.to_dict()["spec"]["backends"]] == ["80", 80]


def test_rules_and_choices_between_fields_are_kept_as_data(load):
    v1 = load("api.net.v1")
    spec = parts_of(v1.Route)["spec"].schema

    assert spec["anyOf"] == [{"required": ["backends"]}, {"required": ["redirect"]}]
    assert spec["x-kubernetes-validations"][0]["message"] == "a redirect has no backends"
    assert parts_of(v1.Route)["metadata"].schema == {"properties": {"name": {"maxLength": 40}}}
    assert fields_of(v1.RouteSpec)["redirect"].default == {"code": 302, "scheme": "https"}
    assert fields_of(v1.RouteSpec)["headers"].schema == {"additionalProperties": {"x-kubernetes-list-type": "set"}}


# ---- schemas that let anything through


def test_an_object_without_a_schema_has_free_spec_and_status_and_keeps_the_rest(load):
    anything = load("api.free.v1").Anything
    got = anything.from_dict({"metadata": {"name": "a"}, "spec": {"x": [1]}, "rules": {"deep": [None, {"y": 1}]}})

    got.spec["x"].append(2)
    got.status = {"seen": True}

    document = got.to_dict()
    assert document["spec"] == {"x": [1, 2]}
    assert document["status"] == {"seen": True}
    assert document["rules"] == {"deep": [None, {"y": 1}]}
    assert not anything.__info__.namespaced


def test_unknown_fields_live_through_read_modify_write_at_any_depth(load):
    settings = load("api.free.v1").Settings
    document = {
        "apiVersion": "free.example.com/v1",
        "kind": "Settings",
        "metadata": {"name": "a"},
        "data": {"text": "x", "list": [1, {"a": None}], "nothing": None},
        "spec": {
            "known": "a",
            "unknown": {"b": 1},
            "sections": [{"name": "one", "size": 1, "extra": {"c": 1}}, {"name": "two", "more": [1]}],
            "raw": {"d": {"e": 1}},
            "any": ["f"],
        },
    }
    got = settings.from_dict(document)

    got.spec.known = "b"
    got.spec.sections[0].size = 2
    got.spec.raw["d"]["e"] = 2

    document["spec"]["known"] = "b"
    document["spec"]["sections"][0]["size"] = 2
    document["spec"]["raw"]["d"]["e"] = 2
    assert got.to_dict() == document


# ---- embedded resources, maps of maps, lists of lists, formats


SAMPLE = {
    "apiVersion": "build.example.com/v1",
    "kind": "Blueprint",
    "metadata": {"name": "a"},
    "phase": "Draft",
    "spec": {
        "base": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": 1}},
        "resources": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}],
        "byName": {"one": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}}},
        "table": {"a": {"b": 1}},
        "groups": {"a": {"b": {"owner": "me", "size": 1}}},
        "matrix": [[1.5, 2.0], []],
        "grid": [[{"x": 1, "y": 2}], [{"x": 3}]],
        "due": "2026-01-02T03:04:05.5Z",
        "key": "YWJj",
        "memory": "1Gi",
        "wait": "1h30m",
        "day": "2026-01-02",
        "big": 9007199254740993,
        "ratio": 0.1,
        "enabled": False,
        "limit": None,
        "retry": {},
        "tags": [],
    },
}


def test_samples_come_back_whatever_part_was_touched(load):
    blueprint = load("api.build.v1").Blueprint
    got = blueprint.from_dict(SAMPLE)

    spec = got.spec
    assert spec.base.kind == "Pod"
    assert spec.base["spec"]["x"] == 1
    assert spec.resources[0].metadata.name == "s"
    assert spec.by_name["one"].api_version == "apps/v1"
    assert spec.groups["a"]["b"].size == 1
    assert spec.grid[1][0].x == 3
    assert spec.due == datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)
    assert spec.key == b"abc"
    assert spec.big == 9007199254740993
    assert spec.limit is None
    assert got.to_dict() == SAMPLE

    spec.table["a"]["c"] = 2
    spec.grid[0][0].y = 9
    spec.base["spec"]["x"] = 2
    expected = {**SAMPLE["spec"], "table": {"a": {"b": 1, "c": 2}}, "grid": [[{"x": 1, "y": 9}], [{"x": 3}]]}
    expected["base"] = {**SAMPLE["spec"]["base"], "spec": {"x": 2}}
    assert got.to_dict()["spec"] == expected


def test_formats_and_defaults_are_data(load):
    fields = fields_of(load("api.build.v1").BlueprintSpec)

    assert (fields["enabled"].default, fields["limit"].default, fields["tags"].default) == (True, 3, ["a", "b"])
    assert fields["limit"].schema == {"nullable": True}
    assert fields["day"].schema == {"format": "date"}
    assert fields["tags"].schema == {"items": {"maxLength": 8}}
    assert structure_of(load("api.build.v1").BlueprintSpec).fields["memory"].format == "quantity"


def test_an_empty_list_is_sent_where_a_server_would_fill_in_one(load):
    v1 = load("api.build.v1")

    made = v1.Blueprint(spec=v1.BlueprintSpec(tags=[], resources=[], ratio=1.0))

    assert made.to_dict()["spec"] == {"tags": [], "ratio": 1.0}


def test_only_what_is_set_is_sent(load):
    v1 = load("api.build.v1")

    made = v1.Blueprint(metadata=ObjectMeta(name="a"), spec=v1.BlueprintSpec(ratio=0.5, retry=v1.BlueprintSpecRetry()))

    assert made.to_dict() == {
        "apiVersion": "build.example.com/v1",
        "kind": "Blueprint",
        "metadata": {"name": "a"},
        "spec": {"ratio": 0.5, "retry": {}},
    }


# ---- odd names and descriptions


def test_any_name_has_a_python_name_and_keeps_its_own(load):
    v1 = load("api.odd.v1")
    names = {info.wire: info.name for info in fields_of(v1.OddSpec).values()}

    expected = {"$ref": "ref", "x-foo": "x_foo", "class": "class_", "a.b": "a_b", "async": "async_", "int": "int_"}
    assert names.items() >= expected.items()
    assert names["with_dash"] != names["withDash"] != names["with-dash"]
    assert len(set(names.values())) == len(names)
    sample = {
        "$ref": "#", "x-foo": "a", "class": "b", "a.b": {"c/d": "e", "1st": 1}, "größe": "g", "名前": "n", "": "empty",
        "with-dash": [{"from": "x", "to_dict": "y"}], "withDash": "1", "with_dash": "2", "WithDash": "3", "None": "z",
        "__init__": "i", "_hidden": "h", "self": "s", "cls": "c", "list": [1], "dict": {"k": "v"}, "quote": 'a"b',
    }  # fmt: skip
    odd = v1.Odd.from_dict({"metadata": {"name": "a"}, "copy": "me", "spec": sample})

    assert odd.copy_ == "me"
    assert odd.spec.with_dash_3[0].from_ == "x"
    odd.spec.match = v1.OddSpecMatch(match="m")
    assert odd.to_dict()["spec"] == {**sample, "match": {"match": "m"}}


def test_descriptions_stay_inside_their_quotes(load):
    tree = ast.parse((KEPT / "api/odd/v1.py").read_text())

    assert {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} == {
        "__future__",
        "typing",
        "k8srt.apimachinery.meta",
        "k8srt.apimachinery.model",
        "k8srt.apimachinery.object",
        "k8srt.apimachinery.objectlist",
    }
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert load("api.odd.v1").Odd.__doc__.startswith('A """ that would end it; a \\ and a \\" too.')


def test_kinds_may_be_called_like_the_bases_and_like_parts_of_others(load):
    v1 = load("api.odd.v1")

    assert v1.Struct.__info__.kind == "Struct"
    assert v1.StructSpec.__info__.kind == "StructSpec"
    assert parts_of(v1.Struct)["spec"].type is v1.StructSpec2
    assert v1.StructSpec(spec=v1.StructSpecSpec(object="x")).to_dict()["spec"] == {"object": "x"}


# ---- with the fake


def test_the_clientset_of_the_package_works_over_the_fake(load):
    v1 = load("api.net.v1")
    route = v1.Route(metadata=ObjectMeta(name="a", namespace="default"), spec=v1.RouteSpec(host="h", backends=[]))

    with FakeClientset(TESTS / "data/crds", route) as fake:
        cs = load("client").Clientset(fake.config)
        got = cs.net_v1.routes("default").get("a")
        assert got.spec.redirect.code == 302  # the default of the definition
        got.spec.backends = [v1.RouteSpecBackend(name="b", port=80)]
        cs.net_v1.routes("default").update(got)

        assert fake.actions.writes().lines() == ["update routes.net.example.com default/a"]
