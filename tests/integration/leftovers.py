"""What tests leave on a server that others use, and how it goes again."""

from __future__ import annotations

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually
from k8srt.testing.choosing import Mode, chosen

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
NAMESPACES = "namespaces"
CLUSTER_SCOPED = (
    CRDS,
    NAMESPACES,
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "priorityclasses.scheduling.k8s.io",
    "persistentvolumes",
    "nodes",
)
OWN_PREFIX = "t-"
"""How namespaces begin whose names nobody uses twice: nobody waits until they are gone."""

LIMIT = 60.0

Held = set[tuple[str, str, str]]


def held(cs: Clientset) -> Held:
    """Resource, namespace and name of what tests may have made: what has no namespace, and what is in `default`."""
    found = {(which, "", each.metadata.name) for which in CLUSTER_SCOPED for each in cs.resource(which).list()}
    cs.discovery.invalidate()
    for name in _namespaced(cs):
        found |= {(name, "default", each.metadata.name) for each in cs.resource(name, "default").list()}
    return found


def remove(cs: Clientset, made: Held) -> None:
    """Delete what was made, what is in a namespace first, and wait until definitions and namespaces are gone."""
    emptied = sorted(name for which, _, name in made if which == NAMESPACES)
    for which, namespace, name in sorted(made, key=lambda each: (not each[1], each[0] in (CRDS, NAMESPACES), each)):
        client = cs.resource(which, namespace)
        try:
            if namespace:
                client.patch(name, {"metadata": {"finalizers": None}}, patch_type="merge")
            client.delete(name, **({"grace_period_seconds": 0} if namespace else {}))
        except errors.NotFound:
            continue
    cs.core_v1.events("default").delete_collection()
    if chosen() is Mode.ENVTEST:
        for name in emptied:
            _empty(cs, name)
    gone = {(which, name) for which, _, name in made if _is_waited_for(which, name)}
    eventually(lambda: not gone & _there(cs), timeout=LIMIT)
    cs.mapper.reset()


def _namespaced(cs: Clientset) -> list[str]:
    """What can be listed and deleted in a namespace, but events."""
    return [
        f"{row.resource}.{row.gvk.group}" if row.gvk.group else row.resource
        for row in cs.api_resources(namespaced=True)
        if {"list", "delete"} <= set(row.verbs) and row.kind != "Event"
    ]


def _is_waited_for(which: str, name: str) -> bool:
    return which == CRDS or (which == NAMESPACES and not name.startswith(OWN_PREFIX))


def _there(cs: Clientset) -> set[tuple[str, str]]:
    return {(which, each.metadata.name) for which in (CRDS, NAMESPACES) for each in cs.resource(which).list()}


def _empty(cs: Clientset, namespace: str) -> None:
    """Do what a controller of namespaces does: a control plane alone has none."""
    for which in [*_namespaced(cs), "events"]:
        client = cs.resource(which, namespace)
        for each in client.list():
            try:
                client.patch(each.metadata.name, {"metadata": {"finalizers": None}}, patch_type="merge")
                client.delete(each.metadata.name, grace_period_seconds=0)
            except errors.NotFound:
                continue
    try:
        found = cs.core_v1.namespaces().get(namespace)
        found.spec.finalizers = []
        cs.core_v1.namespaces().finalize(found)
    except errors.NotFound:
        return
