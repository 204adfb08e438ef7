"""Custom resources: the rows a definition makes, and how documents of them are read and checked."""

from __future__ import annotations

from typing import Any

import msgspec

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.resource import ResourceInfo, Subresource
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.testing.apiserver import structural
from k8srt.testing.apiserver.failures import Cause
from k8srt.testing.apiserver.registry import CustomFacts, Resource, version_order
from k8srt.testing.apiserver.scale_fields import scale_causes
from k8srt.testing.apiserver.typed import Trail, WrongType, plan_of

JSON = dict[str, Any]
_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_SCALE = Subresource("scale", gvk=GroupVersionKind("autoscaling", "v1", "Scale"))
_STATUS = Subresource("status")


def rows_of(definition: JSON, *, since: int) -> list[Resource]:
    """A row for each served version. `since` is the storage version from which objects were written under it."""
    spec = definition["spec"]
    storage = next((each["name"] for each in spec["versions"] if each.get("storage")), "")
    served = [each for each in spec["versions"] if each.get("served")]
    served.sort(key=lambda each: version_order(each["name"]))
    return [_row(definition, version, storage, since) for version in served]


def _row(definition: JSON, version: JSON, storage: str, since: int) -> Resource:
    spec = definition["spec"]
    names = (definition.get("status") or {}).get("acceptedNames") or spec["names"]
    subresources = version.get("subresources") or {}
    conversion = spec.get("conversion") or {}
    found = (["status"] if "status" in subresources else []) + (["scale"] if "scale" in subresources else [])
    info = ResourceInfo(
        GroupVersionKind(spec["group"], version["name"], names["kind"]),
        names["plural"],
        names.get("singular") or names["kind"].lower(),
        spec.get("scope") == "Namespaced",
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        _VERBS,
        tuple(_STATUS if name == "status" else _SCALE for name in found),
    )
    facts = CustomFacts(
        definition["metadata"]["name"],
        (version.get("schema") or {}).get("openAPIV3Schema") or {},
        tuple(version.get("additionalPrinterColumns") or ()),
        "status" in subresources,
        subresources.get("scale"),
        tuple(each["jsonPath"] for each in version.get("selectableFields") or ()),
        _deprecation(definition, version),
        since,
        conversion if conversion.get("strategy") == "Webhook" else None,
    )
    kind = names.get("listKind") or f"{names['kind']}List"
    return Resource(info, kind, custom=facts, storage_version=storage)


def _deprecation(definition: JSON, version: JSON) -> str:
    if not version.get("deprecated"):
        return ""
    spec = definition["spec"]
    text = f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"
    return str(version.get("deprecationWarning") or text)


# ---- documents


def coerce(resource: Resource, raw: JSON, *, keep_nulls: bool = False) -> tuple[JSON, list[str]]:
    """A document in canonical form, and its unknown fields: metadata typed, the rest pruned and defaulted.

    Nulls that are no values are dropped; `keep_nulls`: they stay, as they do in what an apply has made.
    Raises WrongType for metadata that does not fit.
    """
    trail = Trail(hidden=1)
    trail.path.append("metadata")
    meta = plan_of(ObjectMeta).read(raw.get("metadata") or {}, trail)
    rest = _copy({key: value for key, value in raw.items() if key not in ("apiVersion", "kind", "metadata")})
    unknown = structural.prune(rest, resource.structure)
    for where, inner in structural.embedded_metadata(rest, resource.structure):
        _check_metadata(where, inner)
    if keep_nulls:
        structural.default(rest, resource.structure)
    else:
        settle(resource, rest)
    obj = {"kind": raw["kind"], "apiVersion": raw["apiVersion"], "metadata": meta, **rest}
    return obj, [*trail.unknown, *unknown]


def _check_metadata(where: str, meta: Any) -> None:
    """The metadata of an embedded object is typed, too. Raises WrongType."""
    try:
        plan_of(ObjectMeta).read(meta, Trail())
    except WrongType as err:
        shown = msgspec.json.encode(meta, order="sorted").decode()
        raise WrongType(f"{where}: Invalid value: {shown}: {err}") from err


def fitted(resource: Resource, body: JSON) -> JSON:
    """A copy of stored fields without those that the schema does not know."""
    rest = {key: value if key == "metadata" else _copy(value) for key, value in body.items()}
    meta = {"metadata": rest.pop("metadata")} if "metadata" in rest else {}
    structural.prune(rest, resource.structure)
    return {**meta, **rest}


def settle(resource: Resource, body: JSON) -> None:
    """Bring stored or sent fields in line with the schema: nulls dropped, defaults filled in; in place."""
    structural.drop_nulls(body, resource.structure)
    structural.default(body, resource.structure)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def validate(
    resource: Resource, obj: JSON, old: JSON | None, causes: list[Cause], subresource: str = ""
) -> list[Cause]:
    """`causes`, and what is wrong with a custom object by its schema, its scale, and its rules.

    The rules are left alone where something before them stands in their way. To `status`, only that is looked at.
    """
    check = structural.validate_status if subresource == "status" else structural.validate
    assert resource.custom is not None
    scale = scale_causes(obj, resource.custom.scale, status_only=subresource == "status")
    causes = [*causes, *check(obj, resource.structure, old, scale)]
    if resource.rules is None:
        return causes
    unchecked = structural.unchecked_rules(causes) if causes else None
    return [*causes, unchecked] if unchecked is not None else [*causes, *resource.rules.check(obj, old)]


def unevaluated(resource: Resource) -> list[str]:
    """Warnings about the rules of a custom resource that are not evaluated here."""
    if resource.rules is None:
        return []
    return [f"validation rule is not evaluated by this server: {rule}" for rule in resource.rules.unevaluated()]
