"""The configuration of a program that runs in a pod. Contract: REST-08."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from k8srt.errors import ConfigError
from k8srt.rest.config import Config
from k8srt.transport.tls import TLSConfig

log = logging.getLogger(__name__)

SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"


class NotInCluster(ConfigError):
    """The environment is not that of a pod."""


def in_cluster_config(*, environ: Mapping[str, str] | None = None, directory: str = SERVICE_ACCOUNT_DIR) -> Config:
    """Return the configuration a pod's service account gives.

    Raises NotInCluster when the environment does not name the API server, ConfigError when the token cannot be read.
    A missing CA is logged and left out.
    """
    environ = os.environ if environ is None else environ
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise NotInCluster(
            "unable to load in-cluster configuration: "
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"
        )
    token_file = os.path.join(directory, "token")
    try:
        with open(token_file, encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as err:
        reason = (err.strerror if isinstance(err, OSError) else None) or err
        raise ConfigError(f"in-cluster configuration: unable to read {token_file}: {reason}") from err
    return Config(
        host=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        tls=TLSConfig(ca_file=_readable(os.path.join(directory, "ca.crt"))),
        bearer_token=token,
        bearer_token_file=token_file,
    )


def _readable(path: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as err:
        log.error("expected to load the root CA of the cluster from %s, but got: %s", path, err)
        return ""
