"""WebApp and Preview, as manifests/crds.yaml says them."""

from __future__ import annotations

from k8srt.apimachinery.meta import ObjectMeta, Time
from k8srt.apimachinery.model import Struct, field, unset
from k8srt.apimachinery.object import Object

GROUP = "apps.example.com"


class WebAppSpec(Struct):
    """What is wanted."""

    image: str = field(required=True)
    replicas: int = field(default=1)
    port: int = field(default=8080)


class WebAppStatus(Struct):
    """What there is."""

    available: int = unset
    address: str = unset


class WebApp(Object, gvk=f"{GROUP}/v1/WebApp", resource="webapps", subresources="scale=autoscaling/v1/Scale status"):
    """A program that serves HTTP, with a name in the cluster."""

    metadata: ObjectMeta = unset
    spec: WebAppSpec = unset
    status: WebAppStatus = unset


class PreviewSpec(Struct):
    """Which WebApp it is like, and for how many seconds."""

    app: str = field(required=True)
    image: str = field(required=True)
    seconds: int = field(default=3600)


class PreviewStatus(Struct):
    """Until when it is there."""

    expires: Time = unset


class Preview(Object, gvk=f"{GROUP}/v1/Preview", resource="previews", subresources="status"):
    """A WebApp with another image, for a while."""

    metadata: ObjectMeta = unset
    spec: PreviewSpec = unset
    status: PreviewStatus = unset
