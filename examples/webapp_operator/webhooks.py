"""What is said about WebApps before they are kept."""

from __future__ import annotations

from k8srt.controller.registry import Registry
from k8srt.controller.webhook import AdmissionError

from .api import WebApp

REGISTRY = "registry.example.com"

webhooks = Registry()


@webhooks.mutate(WebApp)
def find_image(app: WebApp) -> None:
    """An image without a registry is one of ours."""
    if "/" not in app.spec.image:
        app.spec.image = f"{REGISTRY}/{app.spec.image}"


@webhooks.validate(WebApp)
def check_image(app: WebApp, old: WebApp | None) -> list[str]:
    """An image says its version, or nobody knows what runs."""
    _, colon, tag = app.spec.image.rpartition("/")[2].partition(":")
    if not colon or tag == "latest":
        raise AdmissionError(f"spec.image: {app.spec.image} must say a version, which latest is not", code=422)
    return ["with one replica, every rollout of a node is an outage"] if app.spec.replicas == 1 else []
