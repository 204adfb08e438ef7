"""Two controllers: one makes Deployments and Services of WebApps, the other makes WebApps of Previews.

The second knows nothing of the first: it asks for a WebApp like anybody would. `uses` says what each asks the server
for; the manifests' RBAC is made of that, and the tests run the operator with no other rights.
"""

from __future__ import annotations

from datetime import timedelta

from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.core.v1 import Container, ContainerPort, PodSpec, PodTemplateSpec, Service, ServicePort, ServiceSpec
from k8srt.apimachinery.meta import LabelSelector, ObjectMeta
from k8srt.controller import Context, Result, RetryAfter
from k8srt.controller.client.applying import Ensured
from k8srt.controller.registry import Registry

from .api import Preview, WebApp, WebAppSpec

registry = Registry()


@registry.controller(
    WebApp,
    owns=[Deployment, Service],
    workers=4,
    timeout=60.0,
    uses=[(Deployment, "create", "patch"), (Service, "create", "patch"), (WebApp, "patch/status")],
)
def run_web_app(app: WebApp, ctx: Context) -> None:
    """Have the Deployment and the Service, and say how many replicas are available."""
    if app.metadata.deletion_timestamp:
        return  # what it owns goes with it
    for wanted in (deployment_for(app), service_for(app)):
        if (outcome := ctx.ensure(wanted)) is not Ensured.UNCHANGED:
            ctx.log.info("%s is %s", wanted.kind, outcome)
    running = ctx.client.get(Deployment, ctx.request)  # what was just written is there, too
    with ctx.patching(app):
        app.status.available = running.status.available_replicas or 0
        app.status.address = f"http://{app.metadata.name}.{app.metadata.namespace}"


@registry.controller(
    Preview,
    owns=[WebApp],
    timeout=60.0,
    uses=[(WebApp, "create", "patch"), (Preview, "delete", "patch/status")],
)
def show_preview(preview: Preview, ctx: Context) -> Result | None:
    """Have a WebApp like the one it is of, until its time is over."""
    if preview.metadata.deletion_timestamp:
        return None
    expires = preview.metadata.creation_timestamp + timedelta(seconds=preview.spec.seconds or 3600)
    left = (expires - ctx.clock.time()).total_seconds()
    if left <= 0.0:
        ctx.recorder.event(preview, "Normal", "Expired", f"its {preview.spec.seconds} seconds are over")
        ctx.client.delete(preview)
        return None
    where = preview.metadata.namespace
    original = ctx.client.get_or_none(WebApp, f"{where}/{preview.spec.app}")
    if original is None:
        raise RetryAfter(min(left, 10.0), f"there is no WebApp {preview.spec.app}")
    spec = WebAppSpec(image=preview.spec.image, replicas=1, port=original.spec.port)
    ctx.ensure(WebApp(metadata=ObjectMeta(name=preview.metadata.name, namespace=where), spec=spec))
    with ctx.patching(preview):
        preview.status.expires = expires
    return Result(requeue_after=left)


# ---- what is wanted, as pure functions ------------------------------------------------------------------------------


def deployment_for(app: WebApp) -> Deployment:
    """The fields of the Deployment that matter to us; all others are whose they are."""
    labels = {"app": app.metadata.name}
    container = Container(name="app", image=app.spec.image, ports=[ContainerPort(container_port=app.spec.port)])
    return Deployment(
        metadata=ObjectMeta(name=app.metadata.name, namespace=app.metadata.namespace, labels=labels),
        spec=DeploymentSpec(
            replicas=app.spec.replicas,
            selector=LabelSelector(match_labels=labels),
            template=PodTemplateSpec(metadata=ObjectMeta(labels=labels), spec=PodSpec(containers=[container])),
        ),
    )


def service_for(app: WebApp) -> Service:
    """The Service under whose name the app is found, at port 80."""
    labels = {"app": app.metadata.name}
    return Service(
        metadata=ObjectMeta(name=app.metadata.name, namespace=app.metadata.namespace, labels=labels),
        spec=ServiceSpec(selector=labels, ports=[ServicePort(port=80, target_port=app.spec.port)]),
    )
