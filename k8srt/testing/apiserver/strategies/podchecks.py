"""What may be wrong with a pod spec, in a pod or in a template."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver import names
from k8srt.testing.apiserver.failures import Cause, duplicate, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies.resources import amount

JSON = dict[str, Any]
_POLICIES = ("Always", "OnFailure", "Never")
_PULL = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")


def pod_spec_causes(spec: JSON, path: str) -> list[Cause]:
    causes: list[Cause] = []
    volumes = {volume.get("name", "") for volume in spec.get("volumes") or []}
    containers = spec.get("containers") or []
    if not containers:
        causes.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or []):
            causes += _container_causes(container, f"{path}.{kind}[{index}]", seen, volumes)
    causes += _volume_causes(spec, path)
    if spec.get("restartPolicy", "Always") not in _POLICIES:
        causes.append(not_supported(f"{path}.restartPolicy", spec["restartPolicy"], _POLICIES))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        text = "must be between 1 and 2147483647, inclusive"
        causes.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, text))
    return causes


def _volume_causes(spec: JSON, path: str) -> list[Cause]:
    causes, seen = [], set()
    for index, volume in enumerate(spec.get("volumes") or []):
        here, name = f"{path}.volumes[{index}].name", volume.get("name", "")
        if not name:
            causes.append(required(here))
        elif name in seen:
            causes.append(duplicate(here, name))
        else:
            causes += [invalid_value(here, name, text) for text in names.label(name)]
        seen.add(name)
    return causes


def _container_causes(container: JSON, path: str, seen: set[str], volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = container.get("name", "")
    if not name:
        causes.append(required(f"{path}.name"))
    elif name in seen:
        causes.append(duplicate(f"{path}.name", name))
    else:
        causes += [invalid_value(f"{path}.name", name, text) for text in names.label(name)]
    seen.add(name)
    image = container.get("image", "")
    if not image:
        causes.append(required(f"{path}.image"))
    elif image != image.strip():
        causes.append(invalid_value(f"{path}.image", image, "must not have leading or trailing whitespace"))
    if container.get("imagePullPolicy") not in (None, *_PULL):
        causes.append(not_supported(f"{path}.imagePullPolicy", container["imagePullPolicy"], _PULL))
    causes += _port_causes(container.get("ports") or [], f"{path}.ports")
    causes += _env_causes(container.get("env") or [], f"{path}.env")
    for index, mount in enumerate(container.get("volumeMounts") or []):
        here = f"{path}.volumeMounts[{index}]"
        if mount.get("name") not in volumes:
            causes.append(Cause("FieldValueNotFound", f"{here}.name", f'Not found: "{mount.get("name", "")}"'))
        if not mount.get("mountPath"):
            causes.append(required(f"{here}.mountPath"))
    return causes + _resource_causes(container.get("resources") or {}, f"{path}.resources")


def _port_causes(ports: list[JSON], path: str) -> list[Cause]:
    causes = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        here, number = f"{path}[{index}]", port.get("containerPort", 0)
        name = port.get("name")
        if name and name in seen:
            causes.append(duplicate(f"{here}.name", name))
        seen.add(name or "")
        if not number:
            causes.append(required(f"{here}.containerPort"))
        elif not 1 <= number <= 65535:
            text = "must be between 1 and 65535, inclusive"
            causes.append(invalid_value(f"{here}.containerPort", number, text))
        if port.get("protocol", "TCP") not in _PROTOCOLS:
            causes.append(not_supported(f"{here}.protocol", port["protocol"], _PROTOCOLS))
    return causes


def _env_causes(env: list[JSON], path: str) -> list[Cause]:
    causes = []
    for index, each in enumerate(env):
        if not each.get("name"):
            causes.append(required(f"{path}[{index}].name"))
        if each.get("value") and each.get("valueFrom"):
            text = "may not be specified when `value` is not empty"
            causes.append(invalid_value(f"{path}[{index}].valueFrom", "", text))
    return causes


def _resource_causes(resources: JSON, path: str) -> list[Cause]:
    causes = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            if amount(value) < 0:
                text = "must be greater than or equal to 0"
                causes.append(invalid_value(f"{path}.{kind}[{name}]", str(value), text))
    for name, value in requests.items():
        if name in limits and amount(value) > amount(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(invalid_value(f"{path}.requests", str(value), text))
    return causes
