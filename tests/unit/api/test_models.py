"""The generated models, held against the document they were generated from."""

from __future__ import annotations

import importlib
import json
import typing

import pytest

from k8srt.api import _index
from k8srt.apimachinery import meta
from k8srt.apimachinery.model import Struct, fields_of
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.codegen import build, known, naming
from k8srt.codegen.library import library_files
from k8srt.codegen.openapi import Name, definitions, kinds_of

MODULES = _index.GROUP_VERSIONS.values()


@pytest.fixture(scope="module")
def document(shared):
    return json.loads((shared / "openapi" / "swagger-v1.36.json").read_text())


def class_of(name):
    if name.package == build.META_PACKAGE:
        return getattr(meta, name.name)
    return getattr(importlib.import_module(f"k8srt.api.{name.folder}.{name.version}"), name.name)


def classes(document):
    """Every definition that has a class, with its schema."""
    for name, schema in definitions(document):
        if name.folder and f"{name.package}.{name.name}" not in build.SCALARS:
            yield name, class_of(name), schema


def structs(document):
    return [(name, cls, schema) for name, cls, schema in classes(document) if issubclass(cls, Struct)]


def with_fields(document):
    """Every struct and every kind, with its fields."""
    for name, cls, schema in classes(document):
        if issubclass(cls, Struct):
            yield name, fields_of(cls).values(), schema
        elif issubclass(cls, Object):
            yield name, parts_of(cls).values(), schema


def test_every_definition_has_a_class(document):
    missing = {name.package for name, _ in definitions(document) if not name.folder}

    assert len(list(classes(document))) > 740
    assert missing == {
        "io.k8s.apimachinery.pkg.api.resource",
        "io.k8s.apimachinery.pkg.runtime",
        "io.k8s.apimachinery.pkg.util.intstr",
        "io.k8s.apimachinery.pkg.version",
    }


def test_every_field_is_in_the_model_with_its_wire_name(document):
    for name, cls, schema in structs(document):
        wires = {info.wire for info in fields_of(cls).values()}
        assert wires == set(schema.get("properties", {})), name


def test_every_part_of_an_object_is_in_the_model_with_its_wire_name(document):
    for name, cls, schema in classes(document):
        if issubclass(cls, Object):
            wires = {part.wire for part in parts_of(cls).values()}
            assert wires == set(schema["properties"]) - {"apiVersion", "kind"}, name


def test_what_the_api_knows_about_a_field_stands_beside_it(document):
    for name, fields, schema in with_fields(document):
        required = schema.get("required", ())
        defaults = known.DEFAULTS.get(f"{name.folder}/{name.version}.{name.name}", {})
        for info in fields:
            sub = schema["properties"][info.wire]
            strategies = sub.get("x-kubernetes-patch-strategy")
            assert info.required == (info.wire in required), (name, info)
            assert info.list_type == sub.get("x-kubernetes-list-type"), (name, info)
            assert info.keys == tuple(sub.get("x-kubernetes-list-map-keys", ())), (name, info)
            assert info.map_type == sub.get("x-kubernetes-map-type"), (name, info)
            assert info.patch == (tuple(strategies.split(",")) if strategies else ()), (name, info)
            assert info.patch_key == sub.get("x-kubernetes-patch-merge-key"), (name, info)
            assert info.default == sub.get("default", defaults.get(info.wire)), (name, info)


def test_what_the_api_knows_about_a_definition_stands_on_its_class(document):
    for name, cls, schema in structs(document):
        assert cls.__map_type__ == schema.get("x-kubernetes-map-type"), name


def test_every_type_resolves_and_has_the_shape_of_its_schema(document):
    for name, cls, schema in structs(document):
        for info in fields_of(cls).values():
            sub = schema["properties"][info.wire]
            origin = typing.get_origin(info.type)
            if name.package != build.META_PACKAGE:
                assert (origin is list) == (sub.get("type") == "array"), (name, info)
                assert (origin is dict) == ("additionalProperties" in sub), (name, info)
            if "$ref" in sub and isinstance(info.type, type) and issubclass(info.type, Struct):
                assert info.type is class_of(Name.of_ref(sub)), (name, info)


def test_defaults_by_hand_name_fields_that_exist(document):
    fields = {
        f"{name.folder}/{name.version}.{name.name}": set(schema.get("properties", ()))
        for name, schema in definitions(document)
    }
    for place, defaults in known.DEFAULTS.items():
        assert set(defaults) <= fields[place]


def test_objects_and_lists_know_their_kind(document):
    for name, cls, schema in classes(document):
        kinds = kinds_of(schema)
        if issubclass(cls, (Object, ObjectList)):
            assert str(cls.__info__.gvk.api_version) == kinds[0].api_version
            assert cls.__info__.kind == kinds[0].kind == name.name
        if issubclass(cls, ObjectList):
            assert cls.item.__info__.kind == name.name.removesuffix("List")


def test_every_served_resource_is_on_a_class_and_no_other(document):
    collections = {
        (operation["x-kubernetes-group-version-kind"]["kind"], path.rpartition("/")[2])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if isinstance(operation, dict)
        and "x-kubernetes-action" in operation
        and "{" not in path.rpartition("/")[2]
        and "{name}" not in path
    }
    on_classes = {
        (cls.__info__.kind, cls.__info__.resource)
        for _, cls, _ in classes(document)
        if issubclass(cls, Object) and cls.__info__.resource
    }

    assert on_classes == collections


def test_regenerating_gives_the_same_bytes(document, request):
    for package, files in library_files(document).items():
        folder = request.config.rootpath.joinpath(*package.split("."))
        for path, text in files.items():
            assert (folder / path).read_text(encoding="utf-8") == text, (package, path)


def test_nothing_generated_is_left_over(document, request):
    for package, files in library_files(document).items():
        folder = request.config.rootpath.joinpath(*package.split("."))
        found = {str(path.relative_to(folder)) for path in folder.rglob("*.py") if path.name != "__init__.py"}
        assert found == set(files)


@pytest.mark.parametrize("table", [known.SHORT_NAMES, known.CATEGORIES])
def test_the_tables_name_resources_that_exist(document, table):
    served = {cls.__info__.resource for _, cls, _ in classes(document) if issubclass(cls, Object)}

    assert set(table) <= served


def test_facts_of_a_resource_come_from_the_paths():
    core, apps = (importlib.import_module(f"k8srt.api.{group}.v1") for group in ("core", "apps"))
    pod, node, binding = core.Pod.__info__, core.Node.__info__, core.Binding.__info__

    assert (pod.resource, pod.namespaced, pod.short_names, pod.categories) == ("pods", True, ("po",), ("all",))
    assert pod.subresource("eviction").gvk.api_version == "policy/v1"
    assert pod.subresource("eviction").verbs == ("create",)
    assert pod.subresource("status").gvk is None
    assert pod.subresource("exec").gvk.kind == "PodExecOptions"
    assert not node.namespaced
    assert binding.verbs == ("create",)
    assert core.Namespace.__info__.verbs == ("create", "delete", "get", "list", "patch", "update", "watch")
    assert core.ComponentStatus.__info__.verbs == ("get", "list")
    assert apps.Deployment.__info__.subresource("scale").gvk.kind == "Scale"


def test_field_names_never_hide_what_the_class_body_uses():
    for module in map(importlib.import_module, MODULES):
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, Struct):
                assert not naming.SHADOWING & set(cls.__struct_fields__), cls
