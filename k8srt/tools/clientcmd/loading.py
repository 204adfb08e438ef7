"""The front of clientcmd: load the configuration a program should use.

Contract: KCFG-13, KCFG-29, KCFG-32, KCFG-33.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Unpack

from k8srt.errors import ConfigError
from k8srt.rest.config import Config
from k8srt.rest.incluster import in_cluster_config
from k8srt.tools.clientcmd import codec
from k8srt.tools.clientcmd.deferred import DeferredClientConfig
from k8srt.tools.clientcmd.model import Cluster, KubeConfig
from k8srt.tools.clientcmd.overrides import MASTER, Flags, Overrides, default_cluster, flags
from k8srt.tools.clientcmd.resolve import ClientConfig, Prompt
from k8srt.tools.clientcmd.rules import LoadingRules, resolve_paths

log = logging.getLogger(__name__)

Source = bytes | str | Mapping[str, Any] | os.PathLike[str]
"""The content of a kubeconfig as bytes or a dict, or the path of one."""


class Loaded(NamedTuple):
    """How to reach the cluster, and the namespace the configuration works in."""

    config: Config
    namespace: str


def load_config(
    kubeconfig: str | os.PathLike[str] = "",
    *,
    context: str = "",
    namespace: str = "",
    overrides: Overrides | None = None,
    environ: Mapping[str, str] | None = None,
    prompt: Prompt | None = None,
    **asked: Unpack[Flags],
) -> Loaded:
    """Load by the usual rules: the file given, or `$KUBECONFIG`, or `~/.kube/config`, or else in-cluster.

    In-cluster is used only when there is no configuration at all: an error in a file is never passed over. `asked` are
    the other flags of kubectl, as `server=…` or `as_="jane"`: see `Flags`; `overrides` takes their place. `prompt` is
    asked for a name and a password where there are no credentials. Raises ConfigError naming the file, the entry and
    the field.
    """
    environ = os.environ if environ is None else environ
    deferred = DeferredClientConfig(
        LoadingRules(os.fspath(kubeconfig), environ=environ),
        _asked(overrides, context, namespace, asked),
        prompt=prompt,
        default=default_cluster(environ) if environ.get(MASTER) else None,
        environ=environ,
    )
    config = deferred.client_config()
    return Loaded(config, deferred.namespace()[0])


def build_config_from_flags(master_url: str = "", kubeconfig_path: str = "") -> Config:
    """What the flags `--master` and `--kubeconfig` say; neither means in-cluster.

    `$KUBECONFIG` and the file at home are not looked at. Raises ConfigError. Contract: KCFG-32.
    """
    if not master_url and not kubeconfig_path:
        try:
            return in_cluster_config()
        except ConfigError as err:
            log.warning("neither a kubeconfig nor a master was given, and in-cluster does not work: %s", err)
    rules = LoadingRules(kubeconfig_path) if kubeconfig_path else None
    found = rules.load() if rules is not None else KubeConfig()
    return ClientConfig(found, Overrides(cluster_info=Cluster(server=master_url)), access=rules).client_config()


def rest_config_from_kubeconfig(source: Source, context: str = "") -> Config:
    """From the content of a kubeconfig (bytes, or a dict) or from one file (a path), and nothing else: no other
    files, no environment, no fallback. Raises ConfigError. Contract: KCFG-33."""
    return client_config_from(source, context).client_config()


def client_config_from(source: Source, context: str = "") -> ClientConfig:
    """The same, before it is resolved."""
    if isinstance(source, (bytes, bytearray)):
        return ClientConfig(codec.load(bytes(source)), Overrides(context=context))
    if isinstance(source, Mapping):
        return ClientConfig(codec.from_dict(source), Overrides(context=context))
    path = os.fspath(source)
    if "\n" in path:
        raise ConfigError("kubeconfig: expected the path of a file, got several lines; give its content as bytes")
    config = resolve_paths(codec.load_from_file(path), path)
    return ClientConfig(config, Overrides(context=context), access=LoadingRules(path))


def _asked(overrides: Overrides | None, context: str, namespace: str, given: Flags) -> Overrides:
    if overrides is None:
        return flags(context=context, namespace=namespace, **given)
    if given:
        raise TypeError(f"load_config: {', '.join(given)} cannot be given beside overrides")
    return replace(overrides, context=context or overrides.context, namespace=namespace or overrides.namespace)
