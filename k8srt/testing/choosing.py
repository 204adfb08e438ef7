"""Which server tests talk to, as `$K8SRT_TEST_SERVER` says, so that the same tests run everywhere.

- `embedded`, the default: an `APIServer` in this process;
- `envtest`: a `ControlPlane`, real etcd and kube-apiserver;
- `kubeconfig`: the cluster of the current context. It is not emptied before or after.

    with open_server() as server:
        clientset = Clientset(server.config)

Importing this loads the standard library only. Contract: ETE-01, ETE-07.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from k8srt.errors import ConfigError

if TYPE_CHECKING:
    from k8srt.rest import Config

VARIABLE = "K8SRT_TEST_SERVER"


class Mode(StrEnum):
    """What tests talk to."""

    EMBEDDED = "embedded"
    ENVTEST = "envtest"
    KUBECONFIG = "kubeconfig"


class Server(Protocol):
    """What every one of them has."""

    @property
    def url(self) -> str: ...

    @property
    def config(self) -> Config: ...

    def config_for(self, user: str, *groups: str) -> Config: ...

    def kubeconfig(self) -> str: ...


def chosen(environment: Mapping[str, str] | None = None) -> Mode:
    """What `$K8SRT_TEST_SERVER` says. Raises ConfigError for what it cannot say."""
    text = (os.environ if environment is None else environment).get(VARIABLE, "")
    try:
        return Mode(text.strip().lower() or Mode.EMBEDDED)
    except ValueError:
        known = ", ".join(Mode)
        raise ConfigError(f"${VARIABLE} is {text!r}; it may be one of {known}") from None


@contextmanager
def open_server(mode: Mode | None = None, **options: Any) -> Iterator[Server]:
    """The server of a mode, by default the one chosen; it runs within the context.

    `options` are those of `APIServer`, for the embedded one only. Raises ConfigError, BinaryNotFound and
    ControlPlaneFailed for what is not to be had.
    """
    which = chosen() if mode is None else mode
    if which is Mode.EMBEDDED:
        from k8srt.testing.apiserver.server import APIServer

        with APIServer(**options) as server:
            yield server
        return
    from k8srt.testing.control_plane import ControlPlane

    with ControlPlane(use_existing_cluster=True if which is Mode.KUBECONFIG else None) as plane:
        yield plane
