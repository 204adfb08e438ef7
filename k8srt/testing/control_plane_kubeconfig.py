"""Kubeconfigs, as text, of control planes and of the cluster that is current."""

from __future__ import annotations

from collections.abc import Iterable

from k8srt.rest.config import Config
from k8srt.tools.clientcmd.codec import write
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig
from k8srt.tools.clientcmd.rules import LoadingRules
from k8srt.tools.clientcmd.shaping import flatten_config, minify_config


def kubeconfig_of(config: Config) -> str:
    """One cluster, one user with a client certificate, one context."""
    tls = config.tls
    made = KubeConfig(
        clusters={"k8srt": Cluster(server=config.base_url(), certificate_authority_data=tls.ca_data)},
        users={"user": AuthInfo(client_certificate_data=tls.cert_data, client_key_data=tls.key_data)},
        contexts={"k8srt": Context(cluster="k8srt", user="user")},
        current_context="k8srt",
    )
    return write(made).decode()


def current_kubeconfig(user: str = "", groups: Iterable[str] = ()) -> str:
    """The current context and what it needs, certificates within; acting as `user` if one is named. Raises LoadError
    and InvalidConfig."""
    found = minify_config(LoadingRules().load())
    found = flatten_config(found)
    if user:
        for each in found.users.values():
            each.impersonate, each.impersonate_groups = user, list(groups)
    return write(found).decode()
