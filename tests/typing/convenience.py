"""What users of other libraries expect, as they write it. Checked by mypy, never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.watch import Event
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.manifests import Outcome, Outcomes
from k8srt.tools.watch import RetryWatcher, until, until_with_sync


def manifests(cs: Clientset, deployment: Deployment, anything: Unstructured) -> None:
    outcomes = cs.apply([deployment, anything, {"kind": "List"}, Path("more"), "text: yes\n"], dry_run=True)
    assert_type(outcomes, Outcomes)
    assert_type(outcomes[0], Outcome)
    assert_type(outcomes[:2], Outcomes)
    for outcome in outcomes:
        assert_type(outcome.action, str)
    assert_type(cs.delete("manifests/", wait=True, recursive=True), Outcomes)


def waiting(cs: Clientset) -> None:
    pods = cs.core_v1.pods("default")
    assert_type(pods.wait("web-0", lambda pod: pod.status.phase == "Running", timeout=5.0), Pod)
    with pods.watch(forever=True, label_selector="app=web") as events:
        for event in events:
            assert_type(event, Event[Pod])


def tools(cs: Clientset) -> None:
    pods = cs.core_v1.pods("default")
    with RetryWatcher(pods, "5") as events:
        for event in events:
            assert_type(event, Event[Any])
    assert_type(until(pods, "5", lambda event: event.type == "DELETED", timeout=5.0), Event[Any] | None)
    assert_type(until_with_sync(pods, precondition=lambda store: bool(store.list())), Event[Any] | None)
