"""The rows: which strategy each kind has. Someone who adds a kind adds a row."""

from __future__ import annotations

from collections.abc import Mapping

from k8srt.testing.apiserver.strategies import namespaces, pods
from k8srt.testing.apiserver.strategies.strategy import Strategy

STRATEGIES: Mapping[str, Strategy] = {
    "pods": Strategy(
        defaults=pods.pod_defaults,
        validate=pods.validate,
        prepare=pods.prepare,
        prepare_status=pods.prepare_status,
        first_status=pods.first_status,
        grace=pods.grace,
        generation=True,
        answers_object=True,
        fields=pods.fields,
        field_names=pods.FIELD_NAMES,
        own_conversion=True,
    ),
    "namespaces": Strategy(
        defaults=namespaces.defaults,
        prepare=namespaces.prepare,
        first_status=namespaces.first_status,
        terminating=namespaces.terminating,
        created=namespaces.created,
        name_rule="label",
        answers_object=True,
        fields=namespaces.fields,
        field_names=("status.phase", "name"),
    ),
}
