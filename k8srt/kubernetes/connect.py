"""`k8srt.connect()`: a clientset by the usual rules."""

from __future__ import annotations

from k8srt.kubernetes.clientset import Clientset
from k8srt.tools.clientcmd.loading import load_config


def connect(*, context: str = "", namespace: str = "", kubeconfig: str = "") -> Clientset:
    """Return a clientset for the cluster that `$KUBECONFIG`, `~/.kube/config` or the pod's service account names.

    `context` and `kubeconfig` choose another; `namespace` becomes the clientset's current one. Sends nothing yet.
    Raises ConfigError naming the file, the entry and the field.
    """
    loaded = load_config(kubeconfig, context=context, namespace=namespace)
    return Clientset(loaded.config, namespace=loaded.namespace)
