"""`k8srt.connect()`: a clientset by the usual rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

from k8srt.kubernetes.clientset import Clientset
from k8srt.tools.clientcmd.loading import load_config

if TYPE_CHECKING:
    from k8srt.tools.clientcmd.overrides import Flags


def connect(
    *, context: str = "", namespace: str = "", kubeconfig: str | os.PathLike[str] = "", **asked: Unpack[Flags]
) -> Clientset:
    """Return a clientset for the cluster that `$KUBECONFIG`, `~/.kube/config` or the pod's service account names.

    `context` and `kubeconfig` choose another; `namespace` becomes the clientset's current one. `asked` are the other
    flags of kubectl, as `server=…`, `token=…` or `as_="jane"`. Sends nothing yet. Raises ConfigError naming the file,
    the entry and the field.
    """
    loaded = load_config(kubeconfig, context=context, namespace=namespace, **asked)
    return Clientset(loaded.config, namespace=loaded.namespace)
