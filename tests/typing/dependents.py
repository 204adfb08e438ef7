"""Dependents and workflows as their authors write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller import (
    Builder,
    Context,
    Controller,
    Dependent,
    DependentResult,
    DependentState,
    ExternalDependent,
    Manager,
    Workflow,
    WorkflowFailed,
)


def deployment_of(primary: ConfigMap, ctx: Context) -> Deployment:
    return Deployment()


def secrets_of(primary: ConfigMap, ctx: Context) -> Mapping[str, Secret] | None:
    return {primary.metadata.name: Secret()}


def widget_of(primary: ConfigMap, ctx: Context) -> Unstructured:
    return Unstructured.from_dict({})


def is_ready(deployment: Deployment, ctx: Context) -> bool:
    return deployment.status.ready_replicas == deployment.spec.replicas


def will_do(desired: Secret, actual: Secret) -> bool:
    return desired.data == actual.data


class Bucket(ExternalDependent[dict[str, str]]):
    def desired(self, primary: Any, ctx: Context) -> dict[str, str] | None:
        return {"region": "north"}

    def read(self, primary: Any) -> dict[str, str] | None:
        return None

    def create(self, primary: Any, wanted: dict[str, str]) -> None: ...

    def delete(self, primary: Any, actual: dict[str, str]) -> None: ...


deployment = Dependent(Deployment, deployment_of, ready=is_ready)
secrets = Dependent(Secret, secrets_of, depends_on=[deployment, "bucket"], matches=will_do, delete="explicit")
widget = Dependent(("example.com", "v1", "Widget"), widget_of, active=lambda primary, ctx: ctx.manager is not None)
assert_type(deployment, Dependent[Deployment])
assert_type(secrets, Dependent[Secret])
assert_type(widget, Dependent[Unstructured])


def reconcile(obj: ConfigMap, ctx: Context) -> None:
    state = ctx.dependents["deployment"]
    assert_type(state, DependentState)
    assert_type(state.result, DependentResult)
    assert_type(ctx.workflow.ready, bool)
    try:
        ctx.workflow.run()
    except WorkflowFailed as err:
        assert_type(str(err), str)


def together(manager: Manager) -> Controller:
    manager.controller(ConfigMap, dependents=[deployment, secrets, Bucket("bucket", poll=None)])(reconcile)
    manager.controller(ConfigMap, dependents=Workflow([widget], by_hand=True), name="other")(reconcile)
    return Builder(manager).for_(ConfigMap).named("third").dependents(deployment).build(reconcile)
