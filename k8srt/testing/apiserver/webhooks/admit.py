"""Asks the webhooks that a write concerns: those that may change it in turn, then those that may refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from k8srt.apimachinery.patch import PatchError, apply_json_patch
from k8srt.testing.apiserver.failures import Failure, bad_request, internal
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.webhooks.attributes import MUTATING, VALIDATING, Attributes
from k8srt.testing.apiserver.webhooks.calls import CallFailed
from k8srt.testing.apiserver.webhooks.matching import (
    ConditionFailed,
    conditions_hold,
    matched,
    selected,
    variables_of,
)
from k8srt.testing.apiserver.webhooks.review import Verdict, denial, read_verdict, review_of

JSON = dict[str, Any]
Reread = Callable[[JSON], JSON]


@dataclass
class _Asked:
    """A webhook that was called, and the object as it left it."""

    hook: JSON
    left: JSON


def mutate(attributes: Attributes, warnings: list[str], reread: Reread) -> JSON | None:
    """The object as the mutating webhooks want it; None if they leave it alone.

    `reread` takes a changed document and returns it in canonical form. Webhooks that ask for it are called once more
    when a later one has changed the object. Raises Failure.
    """
    assert attributes.obj is not None
    now, asked = attributes.obj, list[_Asked]()
    for hook in _hooks(attributes, MUTATING):
        row = _concerned(hook, attributes, warnings)
        if row is None:
            continue
        now = _changed(hook, row, replace(attributes, obj=now), warnings, reread)
        asked.append(_Asked(hook, now))
    for each in asked:
        if each.hook.get("reinvocationPolicy") == "IfNeeded" and each.left != now:
            again = replace(attributes, obj=now)
            row = _concerned(each.hook, again, warnings)
            if row is not None:
                now = _changed(each.hook, row, again, warnings, reread)
    return None if now == attributes.obj else now


def validate(attributes: Attributes, warnings: list[str]) -> None:
    """Ask the validating webhooks. Raises the Failure of the first that refuses."""
    for hook in _hooks(attributes, VALIDATING):
        row = _concerned(hook, attributes, warnings)
        if row is not None:
            verdict = _call(hook, row, attributes, mutating=False)
            _heed(hook, verdict, warnings)


def _hooks(attributes: Attributes, table: str) -> Iterator[JSON]:
    """The webhooks of all configurations, in the order of the configurations' names."""
    for stored in attributes.cluster.storage.page(table).items:
        yield from stored.decode().get("webhooks") or ()


def _concerned(hook: JSON, attributes: Attributes, warnings: list[str]) -> Resource | None:
    """The row as which a webhook wants to see the write; None if it does not. Raises Failure."""
    row = matched(hook.get("rules") or (), hook.get("matchPolicy") or "Equivalent", attributes)
    if row is None or not selected(hook, attributes):
        return None
    conditions = hook.get("matchConditions")
    if conditions:
        try:
            if not conditions_hold(conditions, variables_of(attributes, row), warnings):
                return None
        except ConditionFailed as err:
            if hook.get("failurePolicy") == "Ignore":
                return None
            raise internal(f'failed evaluating match conditions of webhook "{hook["name"]}": {err}') from None
    return row


def _call(hook: JSON, row: Resource, attributes: Attributes, *, mutating: bool) -> Verdict:
    """Raises Failure; a webhook that gives no answer may be ignored."""
    if attributes.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        raise bad_request(f'admission webhook "{hook["name"]}" does not support dry run')
    cluster, client = attributes.cluster, hook.get("clientConfig") or {}
    sent = review_of(attributes.request(row), hook.get("admissionReviewVersions") or [])
    ref = client.get("service") or {}
    service = cluster.find("services", ref.get("namespace", ""), ref["name"]) if ref.get("name") else None
    try:
        answer = cluster.calls.post(client, service, sent, float(hook.get("timeoutSeconds") or 10))
        return read_verdict(answer, sent, mutating=mutating)
    except CallFailed as err:
        if hook.get("failurePolicy") == "Ignore":
            return Verdict(True)
        raise internal(f'failed calling webhook "{hook["name"]}": failed to call webhook: {err}') from None


def _heed(hook: JSON, verdict: Verdict, warnings: list[str]) -> None:
    warnings.extend(verdict.warnings)
    if not verdict.allowed:
        raise denial(hook["name"], verdict)


def _changed(hook: JSON, row: Resource, attributes: Attributes, warnings: list[str], reread: Reread) -> JSON:
    verdict = _call(hook, row, attributes, mutating=True)
    _heed(hook, verdict, warnings)
    assert attributes.obj is not None
    if not verdict.patch:
        return attributes.obj
    seen = attributes.in_version(attributes.obj, row)
    try:
        made = apply_json_patch(seen, verdict.patch)
    except PatchError as err:
        raise internal(f'webhook "{hook["name"]}" returned a patch that cannot be applied: {err}') from None
    if not isinstance(made, dict):
        raise internal(f'webhook "{hook["name"]}" made the object something else')
    if row is not attributes.resource:
        made = attributes.cluster.converted(made, row, attributes.resource)
    try:
        return reread(made)
    except Failure as err:
        if err.code == 400:
            raise internal(f'webhook "{hook["name"]}" made the object unreadable: {err}') from None
        raise
