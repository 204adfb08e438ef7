"""Which configuration a Deployment reads, and what it says at the moment. Pure functions: nothing to mock in tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, PodSpec, Secret


def config_maps_of(deployment: Deployment) -> list[str]:
    """The names of the ConfigMaps that its Pods mount, or take environment variables from."""
    return sorted({name for kind, name in _references(deployment.spec.template.spec) if kind == "ConfigMap"})


def secrets_of(deployment: Deployment) -> list[str]:
    """The same for Secrets."""
    return sorted({name for kind, name in _references(deployment.spec.template.spec) if kind == "Secret"})


def references(deployment: Deployment) -> str:
    """The same text as long as it reads the same ConfigMaps and Secrets, whatever is in them."""
    return _hash([config_maps_of(deployment), secrets_of(deployment)])


def fingerprint(configs: Iterable[ConfigMap], secrets: Iterable[Secret]) -> str:
    """The same text as long as all data is the same; labels and annotations do not matter, nor does the order."""
    said = [["ConfigMap", config.metadata.name, *_data(config.data, config.binary_data)] for config in configs]
    said += [["Secret", secret.metadata.name, *_data(secret.data, None)] for secret in secrets]
    return _hash(sorted(said))


def _data(data: dict[str, str] | dict[str, bytes] | None, binary: dict[str, bytes] | None) -> list[str]:
    return [f"{key}={value!r}" for key, value in sorted({**(data or {}), **(binary or {})}.items())]


def _hash(said: object) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _references(pod: PodSpec) -> Iterator[tuple[str, str]]:
    for volume in pod.volumes or ():
        if volume.config_map:
            yield "ConfigMap", volume.config_map.name
        if volume.secret:
            yield "Secret", volume.secret.secret_name
        for source in (volume.projected.sources or ()) if volume.projected else ():
            if source.config_map:
                yield "ConfigMap", source.config_map.name
            if source.secret:
                yield "Secret", source.secret.name
    for container in (*(pod.init_containers or ()), *(pod.containers or ())):
        for whole in container.env_from or ():
            if whole.config_map_ref:
                yield "ConfigMap", whole.config_map_ref.name
            if whole.secret_ref:
                yield "Secret", whole.secret_ref.name
        for variable in container.env or ():
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield "ConfigMap", variable.value_from.config_map_key_ref.name
            if variable.value_from and variable.value_from.secret_key_ref:
                yield "Secret", variable.value_from.secret_key_ref.name
