"""What tells the API server about webhooks: configurations built of what is registered.

Contract: ADM-11, ADM-12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from k8srt.api.admissionregistration.v1 import (
    MatchCondition,
    MutatingWebhook,
    MutatingWebhookConfiguration,
    RuleWithOperations,
    ServiceReference,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
    WebhookClientConfig,
)
from k8srt.apimachinery.meta import LabelSelector, LabelSelectorRequirement, ObjectMeta
from k8srt.controller.webhook.rules import HookRules

NAMESPACE_NAME = "kubernetes.io/metadata.name"
Hook = tuple[str, HookRules]


@dataclass(frozen=True)
class Target:
    """Where the API server finds the webhooks: a `service` ("namespace/name", or with ":port"), or a `url` to which
    paths are appended. `ca_bundle` is PEM; without it the server's own authorities are asked.

    `namespace` is the one the program lives in, which is left alone: that of the service unless given.
    """

    service: str = ""
    url: str = ""
    ca_bundle: bytes = b""
    namespace: str = ""

    def __post_init__(self) -> None:
        if bool(self.service) == bool(self.url):
            raise ValueError("webhooks are found by a service or by a url: give one of them")
        if self.url and not self.url.startswith("https://"):
            raise ValueError(f"url: webhooks are called over https, not {self.url!r}")
        if self.service:
            self._reference("/")

    def client_config(self, path: str) -> WebhookClientConfig:
        """How a path is called."""
        made = WebhookClientConfig()
        if self.ca_bundle:
            made.ca_bundle = self.ca_bundle
        if self.url:
            made.url = self.url.rstrip("/") + path
        else:
            made.service = self._reference(path)
        return made

    @property
    def own_namespace(self) -> str:
        return self.namespace or self.service.partition("/")[0]

    def _reference(self, path: str) -> ServiceReference:
        namespace, slash, rest = self.service.partition("/")
        name, _, port = rest.partition(":")
        if not namespace or not slash or not name or (port and not port.isdigit()):
            raise ValueError(f"service: namespace/name or namespace/name:port, not {self.service!r}")
        reference = ServiceReference(namespace=namespace, name=name, path=path)
        if port:
            reference.port = int(port)
        return reference


def configurations_of(
    name: str, hooks: Iterable[Hook], target: Target, *, i_know: bool = False
) -> list[MutatingWebhookConfiguration | ValidatingWebhookConfiguration]:
    """The configurations, mutating first, of what there is. Raises ValueError: two webhooks of one name, or ADM-12."""
    mutating: list[MutatingWebhook] = []
    validating: list[ValidatingWebhook] = []
    names: set[tuple[bool, str]] = set()
    for path, rules in hooks:
        if not i_know:
            rules.check_safe()
        if (rules.mutating, rules.name) in names:
            raise ValueError(f"two webhooks are called {rules.name!r}: give one of them another name")
        names.add((rules.mutating, rules.name))
        common = _common(path, rules, target, i_know)
        if rules.mutating:
            mutating.append(MutatingWebhook(reinvocation_policy=rules.reinvocation_policy, **common))
        else:
            validating.append(ValidatingWebhook(**common))
    made: list[MutatingWebhookConfiguration | ValidatingWebhookConfiguration] = []
    if mutating:
        made.append(MutatingWebhookConfiguration(metadata=ObjectMeta(name=name), webhooks=mutating))
    if validating:
        made.append(ValidatingWebhookConfiguration(metadata=ObjectMeta(name=name), webhooks=validating))
    return made


def _common(path: str, rules: HookRules, target: Target, i_know: bool) -> dict[str, Any]:
    if "." not in rules.name:
        raise ValueError(f"name: a webhook has one of at least three words with dots between, not {rules.name!r}")
    rule = RuleWithOperations(
        api_groups=list(rules.groups),
        api_versions=list(rules.versions),
        resources=list(rules.resources),
        operations=list(rules.operations),
        scope=rules.scope,
    )
    common: dict[str, Any] = {
        "name": rules.name,
        "client_config": target.client_config(path),
        "rules": [rule],
        "admission_review_versions": ["v1", "v1beta1"],
        "failure_policy": rules.failure_policy,
        "side_effects": rules.side_effects,
        "timeout_seconds": rules.timeout,
        "match_policy": rules.match_policy,
    }
    namespaces = _selector(rules.namespace_selector)
    if not i_know and target.own_namespace and rules.scope != "Cluster":
        namespaces.match_expressions = [
            *(namespaces.match_expressions or []),
            LabelSelectorRequirement(key=NAMESPACE_NAME, operator="NotIn", values=[target.own_namespace]),
        ]
    for key, selector in (("namespace_selector", namespaces), ("object_selector", _selector(rules.object_selector))):
        if selector.match_labels or selector.match_expressions:
            common[key] = selector
    if rules.match_conditions:
        common["match_conditions"] = [MatchCondition(**each) for each in rules.match_conditions]
    return common


def _selector(given: Mapping[str, Any]) -> LabelSelector:
    """A label selector of labels, or of its form in the API."""
    if given.keys() <= {"matchLabels", "matchExpressions"}:
        expressions = [
            LabelSelectorRequirement(key=each["key"], operator=each["operator"], values=list(each.get("values") or []))
            for each in given.get("matchExpressions") or []
        ]
        return LabelSelector(match_labels=dict(given.get("matchLabels") or {}), match_expressions=expressions)
    return LabelSelector(match_labels=dict(given))
