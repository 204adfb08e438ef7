"""The rights that a program of controllers needs: those of its controllers, its election, its events, its webhooks.

    rights_of(mgr)      # {"": rules for the whole cluster, "operators": rules for one namespace}

A controller that says what it uses (`Builder.uses`) needs just that, and to list and watch what it watches. Of any
other it is assumed that it writes what it owns, and the status and finalizers of its kind; `guessed` names those.

Contract: BLD-07.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from k8srt.controller.kinds import form_of

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

Rule = dict[str, list[str]]

_HOOKS = "admissionregistration.k8s.io"
_CONFIGURATIONS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")


def rights_of(manager: Manager) -> dict[str, list[Rule]]:
    """The rules by the namespace they are for, "" for the whole cluster. Starts nothing, and asks the server only
    about kinds of which there is no class."""
    found: dict[str, list[Rule]] = {}
    for namespace, rule in (*_of_controllers(manager), *_of_election(manager), *_of_events(manager)):
        found.setdefault(namespace, []).append(rule)
    for namespace, rule in _of_webhooks(manager):
        found.setdefault(namespace, []).append(rule)
    return {namespace: merged(rules) for namespace, rules in sorted(found.items())}


def guessed(manager: Manager) -> list[str]:
    """The names of the controllers that do not say what they use."""
    return [controller.name for controller in manager.controllers if not controller.description.uses]


def merged(rules: list[Rule]) -> list[Rule]:
    """The same rights in fewer rules: verbs of one resource together, and resources of the same group and verbs."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = group, resource, tuple(rule.get("resourceNames", ()))
                verbs.setdefault(key, set()).update(rule["verbs"])
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, names), allowed in sorted(verbs.items()):
        resources.setdefault((group, names, tuple(sorted(allowed))), []).append(resource)
    return [_rule(group, which, allowed, names) for (group, names, allowed), which in sorted(resources.items())]


def _rule(group: str, resources: Any, verbs: Any, names: Any = ()) -> Rule:
    rule = {"apiGroups": [group], "resources": list(resources)}
    if names:
        rule["resourceNames"] = list(names)
    return {**rule, "verbs": list(verbs)}


def _of_controllers(manager: Manager) -> Iterator[tuple[str, Rule]]:
    everywhere = manager.cache.namespace
    for controller in manager.controllers:
        told = controller.description
        kinds = [told.kind, *told.owns, *told.watches, *(kind for kind, _ in told.dependents), *_used(told.uses)]
        namespaced = {
            (form.info.gvr.group, form.info.gvr.resource): form.info.namespaced
            for kind in kinds
            if kind is not None
            for form in [form_of(manager.clientset, kind)]
        }
        for rule in told.rules():
            [group], [resource] = rule["apiGroups"], rule["resources"]
            yield everywhere if namespaced[group, resource.partition("/")[0]] else "", rule


def _used(uses: list[tuple[Any, tuple[str, ...], str]]) -> Iterator[Any]:
    return (kind for kind, _, _ in uses)


def _of_election(manager: Manager) -> Iterator[tuple[str, Rule]]:
    """Creating cannot be limited to a name, since there is none yet when it is asked about. Shards have to do with the
    leases of all of them."""
    lease = manager.lease
    if lease is not None and manager.shard is not None:
        yield lease[0], _rule("coordination.k8s.io", ["leases"], ["create", "delete", "get", "list", "update"])
    elif lease is not None:
        namespace, name = lease
        yield namespace, _rule("coordination.k8s.io", ["leases"], ["create"])
        yield namespace, _rule("coordination.k8s.io", ["leases"], ["get", "update"], [name])


def _of_events(manager: Manager) -> Iterator[tuple[str, Rule]]:
    for group in manager.event_groups:
        yield manager.cache.namespace, _rule(group, ["events"], ["create", "patch"])


def _of_webhooks(manager: Manager) -> Iterator[tuple[str, Rule]]:
    server = manager.webhook_server_in_use
    if server is None:
        return
    own = server.self_signed
    if own is not None:
        yield own.namespace, _rule("", ["secrets"], ["create"])
        yield own.namespace, _rule("", ["secrets"], ["get", "update"], [own.name])
        if own.configurations:
            yield "", _rule(_HOOKS, _CONFIGURATIONS, ["get", "update"], own.configurations)
        if own.crds:
            yield "", _rule("apiextensions.k8s.io", ["customresourcedefinitions"], ["get", "update"], own.crds)
    install = server.install
    if install is not None:
        verbs = ["patch"] if install.persistent else ["delete", "patch"]
        yield "", _rule(_HOOKS, _CONFIGURATIONS, ["create"])  # an apply of what is not there is a create
        yield "", _rule(_HOOKS, _CONFIGURATIONS, verbs, [install.name])
