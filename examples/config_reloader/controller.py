"""Restarts Deployments when the ConfigMaps and Secrets they read have changed.

Kubernetes updates mounted files some time later, and environment variables never; most programs read either only when
they start. A Deployment that says `reloader.example.com/enabled: "true"` is restarted as by `kubectl rollout restart`:
an annotation of the Pod template changes, and the rollout that follows is the usual one, with all its care.

What was seen last is an annotation of the Deployment itself. So the first look restarts nothing, and nothing is
forgotten when this program restarts: a change that it missed is one that it finds.
"""

from __future__ import annotations

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.controller import Builder, Context, Manager

from .mounts import config_maps_of, fingerprint, references, secrets_of

ENABLED = "reloader.example.com/enabled"
SEEN = "reloader.example.com/seen"  # of the Deployment: the configuration it runs with
RESTARTED_FOR = "reloader.example.com/restarted-for"  # of its Pods: the one they were restarted for


def add_to(mgr: Manager) -> None:
    """Add the controller to a manager."""
    mgr.cache.index_field(Deployment, "configMaps", config_maps_of)
    mgr.cache.index_field(Deployment, "secrets", secrets_of)
    (
        Builder(mgr)
        .for_(Deployment, annotations={ENABLED: "true"})
        .watches(ConfigMap, by_index="configMaps")
        .watches(Secret, by_index="secrets")
        .uses(Deployment, "patch")
        .named("config-reloader")
        .complete(reconcile)
    )


def reconcile(deployment: Deployment, ctx: Context) -> None:
    """Restart it if what it reads is not what it was when we looked last."""
    if (deployment.metadata.annotations or {}).get(ENABLED) != "true":
        return  # what it reads leads to it all the same
    where = deployment.metadata.namespace
    configs = [ctx.client.get_or_none(ConfigMap, f"{where}/{name}") for name in config_maps_of(deployment)]
    secrets = [ctx.client.get_or_none(Secret, f"{where}/{name}") for name in secrets_of(deployment)]
    now = f"{references(deployment)}.{fingerprint(filter(None, configs), filter(None, secrets))}"
    seen = (deployment.metadata.annotations or {}).get(SEEN, "")
    if seen == now:
        return
    # Who changes what it reads has changed the template, and with it the Pods: that needs no second rollout.
    restart = seen.startswith(f"{references(deployment)}.")
    patch: dict[str, object] = {"metadata": {"annotations": {SEEN: now}}}
    if restart:
        patch["spec"] = {"template": {"metadata": {"annotations": {RESTARTED_FOR: now}}}}
    ctx.client.patch(deployment, patch, patch_type="merge")
    if restart:
        ctx.log.info("restarted: its configuration has changed")
        ctx.recorder.event(deployment, "Normal", "ConfigChanged", "restarted, since what it reads has changed")
