"""Config maps, secrets, events, leases, quotas, limit ranges, priority and runtime classes."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value, required
from k8srt.testing.apiserver.strategies.resources import amount

JSON = dict[str, Any]
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_SIZE = 1024 * 1024
_SEALED = "field is immutable when `immutable` is set"


def immutable(*fields: str) -> Any:
    """A check that some top-level fields do not change."""

    def check(obj: JSON, old: JSON | None) -> list[Cause]:
        if old is None:
            return []
        return [
            invalid_value(field, obj.get(field), "field is immutable")
            for field in fields
            if obj.get(field) != old.get(field)
        ]

    return check


# ---- config maps and secrets


def _sealed_causes(obj: JSON, old: JSON | None, fields: tuple[str, ...]) -> list[Cause]:
    if old is None or not old.get("immutable"):
        return []
    causes = [] if obj.get("immutable") else [forbidden_field("immutable", _SEALED)]
    return causes + [forbidden_field(field, _SEALED) for field in fields if obj.get(field) != old.get(field)]


def _key_causes(data: JSON, field: str) -> list[Cause]:
    causes = []
    for key in data:
        if len(key) > 253:
            causes.append(invalid_value(f"{field}[{key}]", key, "must be no more than 253 characters"))
        if not _KEY.fullmatch(key):
            causes.append(invalid_value(f"{field}[{key}]", key, _KEY_TEXT))
    return causes


def validate_config_map(obj: JSON, old: JSON | None) -> list[Cause]:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    causes = _key_causes(data, "data") + _key_causes(binary, "binaryData")
    for key in data:
        if key in binary:
            causes.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
    size = sum(len(value.encode()) for value in data.values()) + sum(len(v) * 3 // 4 for v in binary.values())
    if size > _SIZE:
        causes.append(Cause("FieldValueTooLong", "[]", f"Too long: may not be more than {_SIZE} bytes"))
    return causes + _sealed_causes(obj, old, ("data", "binaryData"))


def secret_defaults(obj: JSON) -> None:
    """What is sent as plain text becomes data."""
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


_REQUIRED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}


def validate_secret(obj: JSON, old: JSON | None) -> list[Cause]:
    data, kind = obj.get("data") or {}, obj.get("type", "")
    causes = _key_causes(data, "data")
    if sum(len(value) * 3 // 4 for value in data.values()) > _SIZE:
        causes.append(Cause("FieldValueTooLong", "data", f"Too long: may not be more than {_SIZE} bytes"))
    for key in _REQUIRED_KEYS.get(kind, ()):
        if key not in data:
            causes.append(required(f"data[{key}]"))
        elif key.startswith("."):
            causes += _json_causes(data[key], f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        causes += [required(f"data[{key}]") for key in ("username", "password")]
    account = "kubernetes.io/service-account.name"
    if kind == "kubernetes.io/service-account-token" and not (obj["metadata"].get("annotations") or {}).get(account):
        causes.append(required(f"metadata.annotations[{account}]"))
    if old is not None and kind != old.get("type"):
        causes.append(invalid_value("type", kind, "field is immutable"))
    return causes + _sealed_causes(obj, old, ("data",))


def _json_causes(encoded: str, field: str) -> list[Cause]:
    try:
        json.loads(base64.b64decode(encoded))
    except ValueError as err:
        return [invalid_value(field, "<secret contents redacted>", str(err))]
    return []


def secret_fields(obj: JSON) -> dict[str, str]:
    return {"type": obj.get("type", "")}


# ---- events


def validate_event(obj: JSON, old: JSON | None) -> list[Cause]:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    namespace, wanted = about.get("namespace", ""), obj["metadata"].get("namespace", "")
    new_style = "regarding" in obj
    if (namespace and namespace != wanted) or (not namespace and wanted != "default"):
        field = "regarding.namespace" if new_style else "involvedObject.namespace"
        return [invalid_value(field, namespace, "does not match event.namespace")]
    if obj.get("apiVersion") != "events.k8s.io/v1":
        return []
    return _new_event_causes(obj) if old is None else _event_changes(obj, old)


def _new_event_causes(obj: JSON) -> list[Cause]:
    causes = []
    if not obj.get("eventTime"):
        causes.append(required("eventTime"))
    kind = obj.get("type", "")
    for field in ("reportingController", "reportingInstance", "action", "reason"):
        if obj.get("eventTime") and not obj.get(field):
            causes.append(required(field))
    if kind not in ("Normal", "Warning"):
        causes.append(Cause("FieldValueInvalid", "type", f'Invalid value: "": has invalid value: {kind}'))
    return causes


_EVENT_FIXED = ("eventTime", "reportingController", "reportingInstance", "action", "reason", "regarding", "related",
                "note", "type")  # fmt: skip


def _event_changes(obj: JSON, old: JSON) -> list[Cause]:
    return [
        invalid_value(field, obj.get(field), "field is immutable")
        for field in _EVENT_FIXED
        if obj.get(field) != old.get(field)
    ]


def event_fields(obj: JSON) -> dict[str, str]:
    about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    found = {
        f"involvedObject.{part}": about.get(part, "")
        for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    }
    reporter = obj.get("reportingComponent", "")
    regarding = {key.replace("involvedObject", "regarding"): value for key, value in found.items()}
    return {
        **found,
        **regarding,
        "reason": obj.get("reason", ""),
        "reportingComponent": reporter,
        "reportingController": reporter,
        "source": source.get("component") or reporter,
        "type": obj.get("type", ""),
    }


EVENT_FIELD_NAMES = tuple(event_fields({}))


# ---- leases


def validate_lease(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes = []
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        causes.append(
            invalid_value("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
        )
    if spec.get("leaseTransitions") is not None and spec["leaseTransitions"] < 0:
        text = "must be greater than or equal to 0"
        causes.append(invalid_value("spec.leaseTransitions", spec["leaseTransitions"], text))
    return causes


# ---- quotas and limit ranges


def validate_quota(obj: JSON, old: JSON | None) -> list[Cause]:
    hard = (obj.get("spec") or {}).get("hard") or {}
    text = "must be greater than or equal to 0"
    return [invalid_value(f"spec.hard[{key}]", str(value), text) for key, value in hard.items() if amount(value) < 0]


def limit_range_defaults(obj: JSON) -> None:
    for item in (obj.setdefault("spec", {}).get("limits")) or []:
        if item.get("type") != "Container":
            continue
        most, least = item.get("max") or {}, item.get("min") or {}
        default = {**most, **(item.get("default") or {})}
        requests = {**least, **default, **(item.get("defaultRequest") or {})}
        if default:
            item["default"] = default
        if requests:
            item["defaultRequest"] = requests


def validate_limit_range(obj: JSON, old: JSON | None) -> list[Cause]:
    causes: list[Cause] = []
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or []):
        path = f"spec.limits[{index}]"
        for key, least in (item.get("min") or {}).items():
            for part, word in (("max", "max"), ("defaultRequest", "default request"), ("default", "default")):
                other = (item.get(part) or {}).get(key)
                if other is not None and amount(least) > amount(other):
                    causes.append(
                        _smaller(f"{path}.{'min' if part == 'max' else part}[{key}]", least, other, word, part)
                    )
    return causes


def _smaller(field: str, least: Any, other: Any, word: str, part: str) -> Cause:
    shown = least if part in ("max", "default") else other
    return invalid_value(field, str(shown), f"min value {least} is greater than {word} value {other}")


# ---- classes

_HIGHEST = 1000000000


def priority_class_defaults(obj: JSON) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def validate_priority_class(obj: JSON, old: JSON | None) -> list[Cause]:
    if old is not None:
        changed = obj.get("value") != old.get("value")
        return [forbidden_field("value", "may not be changed in an update.")] if changed else []
    if obj.get("value", 0) > _HIGHEST and not obj["metadata"]["name"].startswith("system-"):
        text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
        return [forbidden_field("value", text)]
    return []


def validate_controller_revision(obj: JSON, old: JSON | None) -> list[Cause]:
    if old is not None and (obj.get("data") != old.get("data") or obj.get("revision") != old.get("revision")):
        return [invalid_value("data", obj.get("data"), "field is immutable")]
    return []
