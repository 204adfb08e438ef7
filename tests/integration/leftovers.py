"""What tests leave on a server that others use, and how it goes again."""

from __future__ import annotations

import contextlib

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually

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
    cs.discovery.invalidate()
    served = _served(cs, namespaced=False) & set(CLUSTER_SCOPED)
    found = {(which, "", each.metadata.name) for which in served for each in cs.resource(which).list()}
    for name in _served(cs, namespaced=True):
        with contextlib.suppress(errors.NotFound):
            found |= {(name, "default", each.metadata.name) for each in cs.resource(name, "default").list()}
    return found


def remove(cs: Clientset, made: Held, controlled: bool) -> None:
    """Delete what was made, what is in a namespace first, and wait until definitions and namespaces are gone.

    `controlled` says whether the cluster has controllers; without, what they do is done here.
    """
    hooks = {each for each in made if "webhook" in each[0]}  # they may refuse the rest
    for which, _, name in hooks:
        cs.resource(which).delete(name)
    made = made - hooks
    namespaces = {name for which, _, name in made if which == NAMESPACES}
    _unhold(cs, namespaces | {"default"}, {name for which, _, name in made if which == CRDS})
    for which, namespace, name in sorted(made, key=_turn):
        client = cs.resource(which, namespace)
        try:
            client.delete(name, **({"grace_period_seconds": 0} if namespace else {}))
        except errors.NotFound:
            continue
    with contextlib.suppress(errors.NotFound):
        cs.core_v1.events("default").delete_collection()
    if not controlled:
        for name in sorted(namespaces):
            finish(cs, name)
    gone = {(which, name) for which, _, name in made if _is_waited_for(which, name)}
    eventually(lambda: not gone & _there(cs), timeout=LIMIT)
    cs.mapper.reset()


def _turn(each: tuple[str, str, str]) -> tuple[object, ...]:
    """What is in a namespace first, definitions and namespaces last."""
    which, namespace, _ = each
    return not namespace, which in (CRDS, NAMESPACES), each


def _unhold(cs: Clientset, namespaces: set[str], definitions: set[str]) -> None:
    """Take the finalizers off what is in these namespaces, or of one of these definitions: nobody else will."""
    for which in _served(cs, namespaced=True):
        with contextlib.suppress(errors.NotFound):
            for each in cs.resource(which).list():
                there = each.metadata
                if there.finalizers and (which in definitions or there.namespace in namespaces):
                    client = cs.resource(which, there.namespace)
                    with contextlib.suppress(errors.NotFound):
                        client.patch(there.name, {"metadata": {"finalizers": None}}, patch_type="merge")


def _served(cs: Clientset, namespaced: bool) -> set[str]:
    """What can be listed and deleted, but events."""
    return {
        f"{row.resource}.{row.gvk.group}" if row.gvk.group else row.resource
        for row in cs.api_resources(namespaced=namespaced)
        if {"list", "delete"} <= set(row.verbs) and row.kind != "Event"
    }


def _is_waited_for(which: str, name: str) -> bool:
    return which == CRDS or (which == NAMESPACES and not name.startswith(OWN_PREFIX))


def _there(cs: Clientset) -> set[tuple[str, str]]:
    return {(which, each.metadata.name) for which in (CRDS, NAMESPACES) for each in cs.resource(which).list()}


def finish(cs: Clientset, namespace: str) -> None:
    """Do what a controller of namespaces does: empty one that is being deleted, and let it go."""
    for which in [*_served(cs, namespaced=True), "events"]:
        client = cs.resource(which, namespace)
        with contextlib.suppress(errors.NotFound):  # a definition may have gone meanwhile
            for each in client.list():
                with contextlib.suppress(errors.NotFound):
                    client.delete(each.metadata.name, grace_period_seconds=0)
    try:
        found = cs.core_v1.namespaces().get(namespace)
        found.spec.finalizers = []
        cs.core_v1.namespaces().finalize(found)
    except errors.NotFound:
        return
