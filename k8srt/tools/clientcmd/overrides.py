"""What is said beside the files: on a command line, or by a program.

`flags` takes what kubectl's flags are called, as keywords, and gives the `Overrides` they mean.

Contract: KCFG-12 to KCFG-14, KCFG-18.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd.model import AuthInfo, Cluster

DEFAULT_SERVER = "http://localhost:8080"
MASTER = "KUBERNETES_MASTER"

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


@dataclass(slots=True)
class Overrides:
    """What is said on a command line. Empty values override nothing.

    `cluster` and `user` are names of entries; `cluster_info` and `auth_info` override single fields. `cluster_defaults`
    stand behind the files. `timeout` is in seconds, or a text as kubectl takes it: `30`, `1m30s`.
    """

    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    cluster_info: Cluster = field(default_factory=Cluster)
    auth_info: AuthInfo = field(default_factory=AuthInfo)
    cluster_defaults: Cluster = field(default_factory=Cluster)
    timeout: float | str = 0.0


class Flags(TypedDict, total=False):
    """kubectl's flags as keywords, with `_` for `-`; `context` and `namespace` stand beside them."""

    cluster: str
    user: str
    server: str
    tls_server_name: str
    insecure_skip_tls_verify: bool
    certificate_authority: str
    proxy_url: str
    disable_compression: bool
    token: str
    token_file: str
    client_certificate: str
    client_key: str
    username: str
    password: str
    as_: str
    as_uid: str
    as_group: str | Sequence[str]
    as_user_extra: Mapping[str, Sequence[str]]
    request_timeout: float | str


def flags(
    *,
    context: str = "",
    cluster: str = "",
    user: str = "",
    namespace: str = "",
    server: str = "",
    tls_server_name: str = "",
    insecure_skip_tls_verify: bool = False,
    certificate_authority: str = "",
    proxy_url: str = "",
    disable_compression: bool = False,
    token: str = "",
    token_file: str = "",
    client_certificate: str = "",
    client_key: str = "",
    username: str = "",
    password: str = "",
    as_: str = "",
    as_uid: str = "",
    as_group: str | Sequence[str] = (),
    as_user_extra: Mapping[str, Sequence[str]] | None = None,
    request_timeout: float | str = 0.0,
) -> Overrides:
    """The overrides that these flags of kubectl mean. Empty values override nothing; paths are those of the process."""
    groups = [as_group] if isinstance(as_group, str) else list(as_group)
    return Overrides(
        context=context,
        cluster=cluster,
        user=user,
        namespace=namespace,
        cluster_info=Cluster(
            server=server,
            tls_server_name=tls_server_name,
            insecure_skip_tls_verify=insecure_skip_tls_verify,
            certificate_authority=certificate_authority,
            proxy_url=proxy_url,
            disable_compression=disable_compression,
        ),
        auth_info=AuthInfo(
            token=token,
            token_file=token_file,
            client_certificate=client_certificate,
            client_key=client_key,
            username=username,
            password=password,
            impersonate=as_,
            impersonate_uid=as_uid,
            impersonate_groups=[group for group in groups if group],
            impersonate_user_extra={key: list(values) for key, values in (as_user_extra or {}).items()},
        ),
        timeout=request_timeout,
    )


def default_cluster(environ: Mapping[str, str] | None = None) -> Cluster:
    """Where a cluster is when nobody says: `$KUBERNETES_MASTER`, or port 8080 of this machine. Contract: KCFG-13."""
    environ = os.environ if environ is None else environ
    return Cluster(server=environ.get(MASTER) or DEFAULT_SERVER)


def parse_timeout(value: float | str) -> float:
    """Seconds: a number, or a text with a whole number of them or a Go duration. Raises ConfigError.

    Contract: KCFG-18.
    """
    if isinstance(value, str):
        text = value.strip()
        seconds = _seconds(text) if text else 0.0
    else:
        seconds = None if isinstance(value, bool) else float(value)
    if seconds is None or not 0 <= seconds < float("inf"):
        raise ConfigError(
            f"timeout: invalid value {value!r}: a number of seconds, or a duration with a unit (1s, 2m, 3h) is needed"
        )
    return seconds


def _seconds(text: str) -> float | None:
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return float(int(text))
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        return None
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))
