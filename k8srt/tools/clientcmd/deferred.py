"""A configuration that is read when it is first asked for, and the pod's own when there is none.

Contract: KCFG-29 to KCFG-31.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import replace

from k8srt.rest.config import Config
from k8srt.rest.incluster import SERVICE_ACCOUNT_DIR, in_cluster_config
from k8srt.tools.clientcmd.errors import EmptyConfig
from k8srt.tools.clientcmd.model import Cluster, KubeConfig
from k8srt.tools.clientcmd.overrides import Overrides
from k8srt.tools.clientcmd.resolve import ClientConfig, Prompt
from k8srt.tools.clientcmd.rules import LoadingRules

log = logging.getLogger(__name__)


class InClusterClientConfig:
    """The service account of the pod; server, token and CA give way one by one to what overrides them.

    Contract: KCFG-30, KCFG-31.
    """

    def __init__(
        self,
        overrides: Overrides | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        directory: str = SERVICE_ACCOUNT_DIR,
    ) -> None:
        self.overrides = overrides or Overrides()
        self._environ = os.environ if environ is None else environ
        self._directory = directory

    def possible(self) -> bool:
        """Whether this process looks like one in a pod."""
        return in_cluster_possible(self._environ, self._directory)

    def client_config(self) -> Config:
        """Return how to reach the cluster of the pod. Raises ConfigError."""
        cluster, user = self.overrides.cluster_info, self.overrides.auth_info
        config = in_cluster_config(environ=self._environ, directory=self._directory)
        if cluster.server:
            config.host = cluster.server
        if user.token or user.token_file:
            config.bearer_token, config.bearer_token_file = user.token, user.token_file
        if cluster.certificate_authority:
            config.tls = replace(config.tls, ca_file=cluster.certificate_authority)
        return config

    def namespace(self) -> tuple[str, bool]:
        """The namespace of the pod, or the one that overrides it; and whether that is so."""
        if self.overrides.namespace:
            return self.overrides.namespace, True
        return in_cluster_namespace(self._environ, self._directory), False


class DeferredClientConfig:
    """The files of some rules, seen through overrides; the service account of the pod when there is nothing else.

    Files are read at the first call that needs them, once. Thread-safe.
    """

    def __init__(
        self,
        rules: LoadingRules | None = None,
        overrides: Overrides | None = None,
        *,
        prompt: Prompt | None = None,
        default: Cluster | None = None,
        environ: Mapping[str, str] | None = None,
        directory: str = SERVICE_ACCOUNT_DIR,
    ) -> None:
        """`default` is a cluster to use where nothing is said, not even by the pod."""
        self.rules = rules or LoadingRules(environ=environ)
        self.overrides = overrides or Overrides()
        self._pod = InClusterClientConfig(self.overrides, environ=environ, directory=directory)
        self._prompt = prompt
        self._default = default
        self._lock = threading.Lock()  # guards _loaded; held while the files are read, so that it is once
        self._loaded: ClientConfig | None = None

    def load(self) -> ClientConfig:
        """What the files say. Raises LoadError, each time until they can be read."""
        with self._lock:
            if self._loaded is None:
                kubeconfig = self.rules.load()
                self._loaded = ClientConfig(kubeconfig, self.overrides, prompt=self._prompt, access=self.rules)
            return self._loaded

    def raw_config(self) -> KubeConfig:
        """The merged files, nothing overridden. It is the caller's."""
        return self.load().kubeconfig.copy()

    def client_config(self) -> Config:
        """Return how to reach the cluster. Raises ConfigError: a wrong file is never passed over for the pod's."""
        loaded = self.load()
        try:
            return loaded.client_config()
        except EmptyConfig as err:
            if self._pod.possible():
                log.debug("no kubeconfig, using the service account of the pod")
                return self._pod.client_config()
            if self._default is None:
                looked = f"looked at {', '.join(self.rules.files()) or 'no file'}"
                raise EmptyConfig(err.hint or looked) from None
        overrides = replace(self.overrides, cluster_defaults=self._default)
        return ClientConfig(loaded.kubeconfig, overrides, prompt=self._prompt, access=self.rules).client_config()

    def namespace(self) -> tuple[str, bool]:
        """The namespace to work in, and whether an override said so. Raises ConfigError. Contract: KCFG-31."""
        loaded = self.load()
        value, overridden = loaded.namespace()
        context = loaded.kubeconfig.contexts.get(loaded.context_name)
        explicit = context is not None and bool(context.namespace)
        if overridden or explicit or not self._pod.possible():
            return value, overridden
        return self._pod.namespace()


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
    except (OSError, UnicodeDecodeError):
        return "default"
