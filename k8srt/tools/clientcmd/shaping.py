"""Views of a kubeconfig, as `kubectl config view` has them: only the current context, files inlined, secrets hidden.

Each returns a new configuration.

Contract: KCFG-40.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd.errors import ContextNotFound, InvalidConfig
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, KubeConfig
from k8srt.tools.clientcmd.paths import absolute, folder_of

OMITTED = base64.b64decode("DATA+OMITTED")
"""What stands for data that is not shown: it reads so in a file."""
REDACTED = "REDACTED"


def minify_config(config: KubeConfig, context: str = "") -> KubeConfig:
    """Only what one context needs, the current one unless named. Raises InvalidConfig when there is none."""
    name = context or config.current_context
    if not name:
        raise InvalidConfig(["current-context must exist in order to minify"])
    found = config.contexts.get(name)
    if found is None:
        raise ContextNotFound([f"cannot locate context {name}"])
    for kind, key, known in (("user", found.user, config.users), ("cluster", found.cluster, config.clusters)):
        if key and key not in known:
            raise InvalidConfig([f"cannot locate {kind} {key}"])
    config = config.copy()
    config.current_context = name
    config.contexts = {name: config.contexts[name]}
    config.users = {key: value for key, value in config.users.items() if key == found.user}
    config.clusters = {key: value for key, value in config.clusters.items() if key == found.cluster}
    return config


def flatten_config(config: KubeConfig) -> KubeConfig:
    """With the content of certificates and keys instead of their paths, so that it can go elsewhere.

    Raises ConfigError for a file that cannot be read, or beside which there is data.
    """
    config = config.copy()
    config.clusters = {name: _flat_cluster(name, entry) for name, entry in config.clusters.items()}
    config.users = {name: _flat_user(name, entry) for name, entry in config.users.items()}
    return config


def shorten_config(config: KubeConfig) -> KubeConfig:
    """For eyes: data and secrets replaced by words."""
    config = config.copy()
    for cluster in config.clusters.values():
        cluster.certificate_authority_data = OMITTED if cluster.certificate_authority_data else b""
    for user in config.users.values():
        user.client_certificate_data = OMITTED if user.client_certificate_data else b""
        user.client_key_data = OMITTED if user.client_key_data else b""
        user.token = REDACTED if user.token else ""
        user.password = REDACTED if user.password else ""
    return config


def _flat_cluster(name: str, entry: Cluster) -> Cluster:
    where = f'cluster "{name}": certificate-authority'
    path = _path(entry.certificate_authority, entry)
    data = _inlined(where, path, entry.certificate_authority_data)
    return replace(entry, certificate_authority="", certificate_authority_data=data)


def _flat_user(name: str, entry: AuthInfo) -> AuthInfo:
    where = f'user "{name}": client-'
    certificate = _inlined(f"{where}certificate", _path(entry.client_certificate, entry), entry.client_certificate_data)
    key = _inlined(f"{where}key", _path(entry.client_key, entry), entry.client_key_data)
    return replace(
        entry, client_certificate="", client_certificate_data=certificate, client_key="", client_key_data=key
    )


def _path(name: str, entry: Cluster | AuthInfo) -> str:
    return absolute(name, folder_of(entry.location_of_origin)) if entry.location_of_origin else name


def _inlined(where: str, path: str, data: bytes) -> bytes:
    if not path:
        return data
    if data:
        raise ConfigError(f"{where}: there are both a file and data")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as err:
        raise ConfigError(f"{where}: unable to read {path}: {err.strerror or err}") from err
