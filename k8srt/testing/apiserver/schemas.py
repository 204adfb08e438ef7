"""OpenAPI schemas of model classes and of custom resources, in version 2 and version 3."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from k8srt.apimachinery import meta as meta_module
from k8srt.apimachinery.model import FieldInfo, Struct, fields_of
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.resource import Subresource
from k8srt.testing.apiserver.registry import Registry, Resource

JSON = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_PACKAGES = {
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}
# Whole numbers of 64 bits; all others have 32.
_LONG_TEXT = """
    generation observedGeneration activeDeadlineSeconds terminationGracePeriodSeconds deletionGracePeriodSeconds
    runAsUser runAsGroup fsGroup supplementalGroups tolerationSeconds expirationSeconds startingDeadlineSeconds
    remainingItemCount revision gracePeriodSeconds resourceSliceCount
"""
_LONG = frozenset(_LONG_TEXT.split())


def definition_name(cls: type) -> str:
    """`io.k8s.api.apps.v1.Deployment`, as the real documents call it."""
    module = cls.__module__
    if module == meta_module.__name__:
        return f"{_META}.{cls.__name__}"
    group, version = module.split(".")[-2:]
    package = _PACKAGES.get(group, f"io.k8s.api.{group}")
    return f"{package}.{version}.{cls.__name__}"


class Definitions:
    """Collects the schemas of classes and of whatever they refer to."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.found: dict[str, JSON] = {}

    def add(self, cls: type) -> str:
        name = definition_name(cls)
        if name not in self.found:
            self.found[name] = {}
            self.found[name] = self._schema(cls)
        return name

    def _schema(self, cls: type[Any]) -> JSON:
        properties: JSON = {}
        required: list[str] = []
        schema: JSON = {"type": "object"}
        if issubclass(cls, Object):
            properties["apiVersion"] = {"type": "string"}
            properties["kind"] = {"type": "string"}
            for part in parts_of(cls).values():
                facts = FieldInfo(part.name, part.wire, part.type, part.required)
                properties[part.wire] = self.property(facts)
                required += [part.wire] if part.required else []
            if cls.__info__ is not None:
                gvk = cls.__info__.gvk
                kind = {"group": gvk.group, "kind": gvk.kind, "version": gvk.version}
                schema["x-kubernetes-group-version-kind"] = [kind]
        else:
            struct: type[Struct] = cls
            for info in fields_of(struct).values():
                properties[info.wire] = self.property(info)
                required += [info.wire] if info.required else []
        schema["properties"] = properties
        if required:
            schema["required"] = required
        return schema

    def property(self, info: FieldInfo) -> JSON:
        schema = self.type_schema(info.type, info.wire)
        if "$ref" in schema and self._prefix.startswith("#/components"):
            schema = {"allOf": [schema]}
        facts: JSON = {}
        if info.list_type:
            facts["x-kubernetes-list-type"] = info.list_type
        if info.keys:
            facts["x-kubernetes-list-map-keys"] = list(info.keys)
        if info.map_type:
            facts["x-kubernetes-map-type"] = info.map_type
        if info.patch:
            facts["x-kubernetes-patch-strategy"] = ",".join(info.patch)
        if info.patch_key:
            facts["x-kubernetes-patch-merge-key"] = info.patch_key
        return {**schema, **facts}

    def type_schema(self, annotation: Any, wire: str) -> JSON:
        origin, args = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            return self._annotated(args, wire)
        if wire == "managedFields":
            name = self.add(meta_module.ManagedFieldsEntry)
            return {"type": "array", "items": {"$ref": self._prefix + name}}
        if annotation == int | str:
            return {"type": "string", "format": "int-or-string"}
        if origin is list:
            return {"type": "array", "items": self.type_schema(args[0], wire)}
        if origin is dict:
            values = self.type_schema(args[1], wire)
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        if isinstance(annotation, type) and issubclass(annotation, (Struct, Object)):
            return {"$ref": self._prefix + self.add(annotation)}
        return _scalar(annotation, wire)

    def _annotated(self, args: tuple[Any, ...], wire: str) -> JSON:
        extra = getattr(args[1], "extra", None) or {}
        form = extra.get("format", "")
        if form in ("date-time", "micro-time"):
            return {"type": "string", "format": "date-time"}
        if form in ("quantity", "duration"):
            return {"type": "string"}
        if form == "byte":
            return {"type": "string", "format": "byte"}
        return self.type_schema(args[0], wire)


def _scalar(annotation: Any, wire: str) -> JSON:
    if annotation is int:
        return {"type": "integer", "format": "int64" if wire in _LONG else "int32"}
    if annotation is str:
        return {"type": "string"}
    if annotation is bool:
        return {"type": "boolean"}
    if annotation is float:
        return {"type": "number", "format": "double"}
    if annotation is bytes:
        return {"type": "string", "format": "byte"}
    if annotation is datetime:
        return {"type": "string", "format": "date-time"}
    return {}


# ---- custom resources


def custom_name(resource: Resource) -> str:
    """`com.example.v1.Widget` for widgets.example.com."""
    return ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))


def _custom_schema(resource: Resource, prefix: str) -> JSON:
    assert resource.custom is not None
    schema = dict(resource.custom.schema) if resource.custom.schema else {}
    meta: JSON = {"$ref": f"{prefix}{_META}.ObjectMeta"}
    if prefix.startswith("#/components"):
        meta = {"allOf": [meta]}
    schema["type"] = "object"
    schema["properties"] = {
        **schema.get("properties", {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": meta,
    }
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    schema["x-kubernetes-group-version-kind"] = [kind]
    return schema


def _add_all(definitions: Definitions, resources: Iterable[Resource], prefix: str) -> None:
    definitions.add(meta_module.ObjectMeta)
    definitions.add(meta_module.DeleteOptions)
    for resource in resources:
        if resource.model is not None:
            definitions.add(resource.model)
        else:
            definitions.found[custom_name(resource)] = _custom_schema(resource, prefix)


# ---- paths

_ACTIONS = {
    "get": ("get", "get", "read"), "update": ("put", "put", "replace"), "patch": ("patch", "patch", "patch"),
    "delete": ("delete", "delete", "delete"), "list": ("get", "list", "list"),
    "create": ("post", "post", "create"),
    "deletecollection": ("delete", "deletecollection", "deletecollection"),
}  # fmt: skip
_OF_ITEM = ("get", "update", "patch", "delete")
_DRY_RUN = {"name": "dryRun", "in": "query", "type": "string", "uniqueItems": True}
_VALIDATION = {"name": "fieldValidation", "in": "query", "type": "string", "uniqueItems": True}


def _paths(resources: Iterable[Resource], *, v3: bool) -> JSON:
    paths: JSON = {}
    for resource in resources:
        root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
        base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
        collection = f"{base}/{resource.plural}"
        for verb in resource.info.verbs:
            if verb in _ACTIONS:
                path = collection + "/{name}" if verb in _OF_ITEM else collection
                paths.setdefault(path, {}).update(_operation(resource, verb, v3=v3))
        for sub in resource.info.subresources:
            path = f"{collection}/{{name}}/{sub.name}"
            for verb in sub.verbs:
                if verb in _ACTIONS:
                    paths.setdefault(path, {}).update(_operation(resource, verb, sub, v3=v3))
    return paths


def _operation(resource: Resource, verb: str, sub: Subresource | None = None, *, v3: bool) -> JSON:
    method, action, word = _ACTIONS[verb]
    group = (resource.group or "core").partition(".")[0]
    scope = "Namespaced" if resource.namespaced else ""
    tail = sub.name.capitalize() if sub else ""
    version = resource.version.capitalize()
    gvk = sub.gvk if sub is not None and sub.gvk is not None else resource.info.gvk
    operation: JSON = {
        "operationId": f"{word}{group.capitalize()}{version}{scope}{resource.kind}{tail}",
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": gvk.group, "kind": gvk.kind, "version": gvk.version},
        "responses": {"200": {"description": "OK"}},
    }
    if verb in ("create", "update", "patch", "delete"):
        parameters = [_DRY_RUN, _VALIDATION] if verb != "delete" else [_DRY_RUN]
        operation["parameters"] = [_as_v3(each) for each in parameters] if v3 else parameters
    return {method: operation}


def _as_v3(parameter: JSON) -> JSON:
    return {
        "name": parameter["name"],
        "in": "query",
        "schema": {"type": parameter["type"], "uniqueItems": True},
    }


# ---- documents


def v2_document(registry: Registry) -> JSON:
    """The whole of /openapi/v2."""
    prefix = "#/definitions/"
    definitions = Definitions(prefix)
    resources = registry.resources()
    _add_all(definitions, resources, prefix)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": _paths(resources, v3=False),
        "definitions": definitions.found,
    }


def v3_document(registry: Registry, group: str, version: str) -> JSON:
    """The document of one group-version under /openapi/v3."""
    prefix = "#/components/schemas/"
    definitions = Definitions(prefix)
    resources = registry.resources(group, version)
    _add_all(definitions, resources, prefix)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": _paths(resources, v3=True),
        "components": {"schemas": definitions.found},
    }
