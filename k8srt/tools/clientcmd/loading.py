"""The front of clientcmd: load the configuration a program should use.

Contract: KCFG-29 to KCFG-33.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from k8srt.errors import ConfigError
from k8srt.rest.config import Config
from k8srt.rest.incluster import SERVICE_ACCOUNT_DIR, in_cluster_config
from k8srt.tools.clientcmd import codec
from k8srt.tools.clientcmd.errors import is_empty_config
from k8srt.tools.clientcmd.model import Cluster, KubeConfig
from k8srt.tools.clientcmd.resolve import ClientConfig, Overrides
from k8srt.tools.clientcmd.rules import LoadingRules, resolve_paths

log = logging.getLogger(__name__)


Source = bytes | str | Mapping[str, Any] | os.PathLike[str]
"""The content of a kubeconfig as bytes or a dict, or the path of one."""


class Loaded(NamedTuple):
    """How to reach the cluster, and the namespace the configuration works in."""

    config: Config
    namespace: str


def load_config(
    kubeconfig: str = "",
    *,
    context: str = "",
    namespace: str = "",
    overrides: Overrides | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Load by the usual rules: the file given, or `$KUBECONFIG`, or `~/.kube/config`, or else in-cluster.

    In-cluster is used only when there is no configuration at all: an error in a file is never passed over. Raises
    ConfigError naming the file, the entry and the field.
    """
    asked = overrides or Overrides()
    asked.context = context or asked.context
    asked.namespace = namespace or asked.namespace
    loaded = ClientConfig(LoadingRules(kubeconfig, environ=environ).load(), asked)
    try:
        config = loaded.client_config()
    except ConfigError as err:
        if not is_empty_config(err) or not in_cluster_possible(environ):
            raise
        log.debug("no kubeconfig, using the service account of the pod")
        return Loaded(in_cluster_config(environ=environ), namespace or in_cluster_namespace(environ))
    return Loaded(config, loaded.namespace()[0])


def build_config_from_flags(master_url: str = "", kubeconfig_path: str = "") -> Config:
    """What the flags `--master` and `--kubeconfig` say; neither means in-cluster.

    `$KUBECONFIG` and the file at home are not looked at. Raises ConfigError. Contract: KCFG-32.
    """
    if not master_url and not kubeconfig_path:
        try:
            return in_cluster_config()
        except ConfigError as err:
            log.warning("neither a kubeconfig nor a master was given, and in-cluster does not work: %s", err)
    found = LoadingRules(kubeconfig_path).load() if kubeconfig_path else KubeConfig()
    return ClientConfig(found, Overrides(cluster_info=Cluster(server=master_url))).client_config()


def rest_config_from_kubeconfig(source: Source, context: str = "") -> Config:
    """From the content of a kubeconfig (bytes, or a dict) or from one file (a path), and nothing else: no other
    files, no environment, no fallback. Raises ConfigError. Contract: KCFG-33."""
    return client_config_from(source, context).client_config()


def client_config_from(source: Source, context: str = "") -> ClientConfig:
    """The same, before it is resolved."""
    if isinstance(source, bytes):
        config = codec.load(source)
    elif isinstance(source, Mapping):
        config = codec.from_dict(source)
    else:
        path = os.fspath(source)
        try:
            config = resolve_paths(codec.load_from_file(path), path)
        except FileNotFoundError as err:
            raise ConfigError(f'kubeconfig file "{path}": no such file') from err
    return ClientConfig(config, Overrides(context=context))


def in_cluster_possible(environ: Mapping[str, str] | None = None, directory: str = SERVICE_ACCOUNT_DIR) -> bool:
    """Whether this process looks like one in a pod. Contract: KCFG-29."""
    environ = os.environ if environ is None else environ
    named = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(named) and os.path.isfile(os.path.join(directory, "token"))


def in_cluster_namespace(environ: Mapping[str, str] | None = None, directory: str = SERVICE_ACCOUNT_DIR) -> str:
    """The namespace of the pod: `$POD_NAMESPACE`, else the service account's, else "default". Contract: KCFG-31."""
    environ = os.environ if environ is None else environ
    if name := environ.get("POD_NAMESPACE"):
        return name
    try:
        with open(os.path.join(directory, "namespace"), encoding="utf-8") as file:
            return file.read().strip() or "default"
    except OSError:
        return "default"
