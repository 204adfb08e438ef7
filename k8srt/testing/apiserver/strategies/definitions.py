"""Custom resource definitions: their defaults, what is wrong with them, and what is done when they come and change."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from k8srt.testing.apiserver import names
from k8srt.testing.apiserver.failures import (
    Cause,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8srt.testing.apiserver.schema_check import schema_errors
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
TABLE = "customresourcedefinitions.apiextensions.k8s.io"


def defaults(obj: JSON) -> None:
    spec = obj.get("spec") or {}
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service is not None:
        service.setdefault("port", 443)
    found = spec.get("names") or {}
    kind = found.get("kind", "")
    if kind:
        if not found.get("singular"):
            found["singular"] = kind.lower()
        if not found.get("listKind"):
            found["listKind"] = f"{kind}List"
    for version in spec.get("versions") or []:
        scale = (version.get("subresources") or {}).get("scale")
        if scale is not None and not scale.get("labelSelectorPath"):
            scale.pop("labelSelectorPath", None)


def first_status(obj: JSON) -> None:
    stored = [each["name"] for each in _versions(obj) if each.get("storage")]
    names_before = {"plural": "", "kind": ""}
    kept = stored if len(stored) == 1 else None
    obj["status"] = {"conditions": None, "acceptedNames": names_before, "storedVersions": kept}


def prepare(obj: JSON, old: JSON | None, write: Write) -> None:
    """The storage version of a changed definition joins those that objects may be stored in."""
    if old is None:
        return
    status = obj.setdefault("status", {})
    stored = list(status.get("storedVersions") or [])
    for version in _versions(obj):
        if version.get("storage") and version["name"] not in stored:
            stored.append(version["name"])
    status["storedVersions"] = stored


def _versions(obj: JSON) -> list[JSON]:
    return (obj.get("spec") or {}).get("versions") or []


def terminating(obj: JSON, now: str) -> bool:
    """Let a deletion begin: the definition stays until its objects are gone."""
    finalizers = obj["metadata"].get("finalizers") or []
    if "deletionTimestamp" not in obj["metadata"] and FINALIZER not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, FINALIZER]
        message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        obj["status"] = set_condition(
            obj.get("status") or {}, "Terminating", "True", "InstanceDeletionPending", message, now
        )
    return False


def set_condition(status: JSON, kind: str, value: str, reason: str, message: str, now: str) -> JSON:
    """The status with a condition set, in its old place if it has one."""
    condition = {"type": kind, "status": value, "lastTransitionTime": now, "reason": reason, "message": message}
    conditions = list(status.get("conditions") or [])
    for index, each in enumerate(conditions):
        if each["type"] == kind:
            if each["status"] == value:
                condition["lastTransitionTime"] = each["lastTransitionTime"]
            conditions[index] = condition
            break
    else:
        conditions.append(condition)
    return {**status, "conditions": conditions}


def created(obj: JSON, old: JSON | None, write: Write) -> None:
    write.cluster.definitions.establish(obj["metadata"]["name"])


def updated(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is not None:
        write.cluster.definitions.changed(old, obj)


# ---- validation


def _stored_causes(obj: JSON) -> list[Cause]:
    stored = (obj.get("status") or {}).get("storedVersions")
    storage = [each["name"] for each in _versions(obj) if each.get("storage")]
    text = ""
    if not stored:
        text = "must have at least one stored version"
    elif len(storage) == 1 and storage[0] not in stored:
        text = f"must have the storage version {storage[0]}"
    return [invalid_value("status.storedVersions", stored or None, text)] if text else []


_SCOPES = ("Cluster", "Namespaced")
_PROTECTED = re.compile(r"(^|\.)(k8s\.io|kubernetes\.io)$")
_APPROVAL = "api-approved.kubernetes.io"


def validate(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj.get("spec") or {}
    found = spec.get("names") or {}
    causes: list[Cause] = []
    wanted = f"{found.get('plural', '')}.{spec.get('group', '')}"
    name = obj["metadata"].get("name")
    if old is None and name and name != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        causes.append(invalid_value("metadata.name", name, text))
    causes += _group_causes(obj, spec)
    if not spec.get("scope"):
        causes.append(required("spec.scope"))
    elif spec["scope"] not in _SCOPES:
        causes.append(not_supported("spec.scope", spec["scope"], _SCOPES))
    causes += _version_causes(spec)
    causes += _name_causes(found)
    if spec.get("preserveUnknownFields") and old is None:
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        causes.append(invalid_value("spec.preserveUnknownFields", True, text))
    causes += _conversion_causes(spec.get("conversion") or {})
    if old is None or old.get("spec") != spec:  # the status by itself may say what it wants
        causes += _stored_causes(obj)
    if old is not None and old.get("spec") != spec:
        causes += _changes(obj, old)
    return causes


def _group_causes(obj: JSON, spec: JSON) -> list[Cause]:
    group = spec.get("group", "")
    if not group:
        return [required("spec.group")]
    if "." not in group:
        return [invalid_value("spec.group", group, "should be a domain with at least one dot")]
    if _PROTECTED.search(group) and _APPROVAL not in (obj["metadata"].get("annotations") or {}):
        text = (
            f'protected groups must have approval annotation "{_APPROVAL}", see '
            "https://github.com/kubernetes/enhancements/pull/1111"
        )
        return [required(f"metadata.annotations[{_APPROVAL}]", text)]
    return []


def _name_causes(found: JSON) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("plural", "singular"):
        value = found.get(part, "")
        if not value:
            causes.append(required(f"spec.names.{part}"))
        else:
            causes += [invalid_value(f"spec.names.{part}", value, text) for text in names.label_1035(value)]
    for part in ("kind", "listKind"):
        value = found.get(part, "")
        if value:
            texts = names.label_1035(value.lower())
            told = (f"may have mixed case, but should otherwise match: {text}" for text in texts)
            causes += [invalid_value(f"spec.names.{part}", value, text) for text in told]
        else:
            causes.append(required(f"spec.names.{part}"))
    for part in ("shortNames", "categories"):
        for index, value in enumerate(found.get(part) or []):
            field = f"spec.names.{part}[{index}]"
            causes += [invalid_value(field, value, text) for text in names.label_1035(value)]
    if found.get("kind") and found.get("kind") == found.get("listKind"):
        text = "kind and listKind may not be the same"
        causes.append(invalid_value("spec.names.listKind", found["listKind"], text))
    return causes


def _version_causes(spec: JSON) -> list[Cause]:
    versions = spec.get("versions") or []
    causes: list[Cause] = []
    if len({each.get("name") for each in versions}) < len(versions):
        causes.append(invalid_value("spec.versions", versions, "must contain unique version names"))
    if sum(1 for each in versions if each.get("storage")) != 1:
        text = "must have exactly one version marked as storage version"
        causes.append(invalid_value("spec.versions", versions or [], text))
    schemas = [_schema(version) for version in versions]
    same = all(schema == schemas[0] for schema in schemas)
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if names.label_1035(version.get("name", "")):
            causes += [invalid_value(f"{path}.name", version.get("name", ""), t)
                       for t in names.label_1035(version.get("name", ""))]  # fmt: skip
        schema = schemas[index]
        if schema is None:
            causes.append(required(f"{path}.schema.openAPIV3Schema"))
        elif not same or index == 0:
            where = "spec.validation.openAPIV3Schema" if same else f"{path}.schema.openAPIV3Schema"
            causes += schema_errors(schema, where) or _rule_causes(schema, where)
        shared = "spec" if len(versions) == 1 else path  # where a server keeps what all versions say
        causes += _deprecation_causes(version, path)
        causes += _scale_causes(version, shared)
        causes += _column_causes(version, shared)
        causes += _selectable_causes(version, schema or {}, shared)
    return causes


def _deprecation_causes(version: JSON, path: str) -> list[Cause]:
    warning, where = version.get("deprecationWarning"), f"{path}.deprecationWarning"
    if warning is None:
        return []
    if not version.get("deprecated"):
        return [invalid_value(where, warning, "can only be set for deprecated versions")]
    if not warning:
        return [invalid_value(where, warning, "must not be an empty string")]
    return [invalid_value(where, warning, "must be <= 256 characters long")] if len(warning) > 256 else []


_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")


def _column_causes(version: JSON, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, column in enumerate(version.get("additionalPrinterColumns") or []):
        where = f"{path}.additionalPrinterColumns[{index}]"
        kind, format_, place = column.get("type", ""), column.get("format"), column.get("jsonPath", "")
        if not column.get("name"):
            causes.append(required(f"{where}.name"))
        text = f"must be one of {','.join(_COLUMN_TYPES)}"
        if not kind:
            causes.append(required(f"{where}.type", text))
        elif kind not in _COLUMN_TYPES:
            causes.append(invalid_value(f"{where}.type", kind, text))
        if format_ and format_ not in _COLUMN_FORMATS:
            causes.append(invalid_value(f"{where}.format", format_, f"must be one of {','.join(_COLUMN_FORMATS)}"))
        if not place:
            causes.append(required(f"{where}.JSONPath"))
        elif not place.startswith("."):
            causes.append(invalid_value(f"{where}.JSONPath", place, "must be a simple json path starting with ."))
    return causes


def _selectable_causes(version: JSON, schema: JSON, path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, field in enumerate(version.get("selectableFields") or []):
        where, place = f"{path}.selectableFields[{index}].jsonPath", field.get("jsonPath", "")
        if not place:
            causes.append(required(where))
            continue
        found = _schema_at(schema, place)
        if found is None:
            causes.append(invalid_value(where, place, "is an invalid path: does not refer to a valid field"))
            continue
        if found.get("type") not in ("string", "boolean", "integer"):
            text = "must point to a field of type string, boolean or integer. "
            text += "Enum string fields and strings with formats are allowed."
            causes.append(invalid_value(where, place, text))
        if place in seen:
            causes.append(duplicate(where, place))
        seen.add(place)
    return causes


def _schema_at(schema: JSON, place: str) -> JSON | None:
    """The schema of what a path such as `.spec.size` leads to."""
    first, *parts = place.split(".")
    found: JSON | None = None if first or not parts else schema
    for part in parts:
        below = (found or {}).get("properties") or {}
        found = below.get(part)
    return found


_STRATEGIES = ("None", "Webhook")


def _conversion_causes(conversion: JSON) -> list[Cause]:
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook") or {}
    if strategy not in _STRATEGIES:
        return [not_supported("spec.conversion.strategy", strategy or "", _STRATEGIES)]
    causes: list[Cause] = []
    client, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy != "Webhook":
        text = "should not be set when strategy is not set to Webhook"
        if client is not None:
            causes.append(forbidden_field("spec.conversion.webhookClientConfig", text))
        if versions:
            causes.append(forbidden_field("spec.conversion.conversionReviewVersions", text))
        return causes
    if client is None:
        causes.append(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"))
    elif bool(client.get("url")) == bool(client.get("service")):
        text = "exactly one of url or service is required"
        causes.append(required("spec.conversion.webhookClientConfig", text))
    elif client.get("url") and urlsplit(client["url"]).scheme != "https":
        text = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        scheme = urlsplit(client["url"]).scheme
        causes.append(invalid_value("spec.conversion.webhookClientConfig.url", scheme, text))
    if not versions:
        causes.append(required("spec.conversion.conversionReviewVersions"))
    elif not set(versions) & {"v1", "v1beta1"}:
        text = "must include at least one of v1, v1beta1"
        causes.append(invalid_value("spec.conversion.conversionReviewVersions", versions, text))
    return causes


def _schema(version: JSON) -> JSON | None:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    return schema if isinstance(schema, dict) else None


def _rule_causes(schema: JSON, path: str) -> list[Cause]:
    from k8srt.testing.apiserver.cel.rule_check import rule_causes  # few definitions have rules
    from k8srt.testing.apiserver.structural import has_rules

    return rule_causes(schema, path) if has_rules(schema) else []


_SIMPLE_PATH = re.compile(r"\.[\w.\[\]'-]+")


def _scale_causes(version: JSON, path: str) -> list[Cause]:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return []
    causes = []
    for part, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        here, value = f"{path}.subresources.scale.{part}", scale.get(part, "")
        if not value:
            causes.append(required(here))
        elif not _SIMPLE_PATH.fullmatch(value):
            causes.append(invalid_value(here, value, "must be a simple json path starting with ."))
        elif not value.startswith(root):
            causes.append(invalid_value(here, value, f"should be a json path under {root[:-1]}"))
    return causes


def _changes(obj: JSON, old: JSON) -> list[Cause]:
    causes = []
    established = any(
        each["type"] == "Established" and each["status"] == "True"
        for each in (old.get("status") or {}).get("conditions") or []
    )
    for part, field in (("group", "spec.group"), ("scope", "spec.scope")):
        if established and obj["spec"].get(part) != old["spec"].get(part):
            causes.append(invalid_value(field, obj["spec"].get(part), "field is immutable"))
    if established and obj["spec"]["names"].get("kind") != old["spec"]["names"].get("kind"):
        causes.append(invalid_value("spec.names.kind", obj["spec"]["names"].get("kind"), "field is immutable"))
    stored = (obj.get("status") or {}).get("storedVersions") or []
    present = [each["name"] for each in _versions(obj)]
    for index, name in enumerate(stored):
        if name not in present:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and removes "
                f"{name} from status.storedVersions"
            )
            causes.append(invalid_value(f"status.storedVersions[{index}]", name, text))
    return causes
