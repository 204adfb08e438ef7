"""What a type checker sees of each client: the verbs of its resource, and of what types. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.authentication.v1 import TokenRequest
from k8srt.api.authorization.v1 import SubjectAccessReview
from k8srt.api.autoscaling.v1 import Scale
from k8srt.api.core.v1 import Binding, ConfigMap, Event, Namespace, Node, Pod, ServiceAccount
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.gentype.logs import LogStream
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.listers.lister import Lister
from k8srt.rest.request import Request
from k8srt.rest.watch import EventStream
from k8srt.tools.cache.shared_informer import SharedIndexInformer


def every_verb(cs: Clientset) -> None:
    maps = cs.core_v1.config_maps("default")
    assert_type(maps.get("x"), ConfigMap)
    assert_type(maps.list(limit=5), ObjectList[ConfigMap])
    assert_type(next(maps.iterate()), ConfigMap)
    assert_type(maps.watch(), EventStream[ConfigMap])
    assert_type(maps.watch(forever=True), EventStream[ConfigMap])
    assert_type(maps.create(ConfigMap()), ConfigMap)
    assert_type(maps.update({"metadata": {"name": "x"}}), ConfigMap)
    assert_type(maps.patch("x", {}, patch_type="merge"), ConfigMap)
    assert_type(maps.apply(ConfigMap(), field_manager="me"), ConfigMap)
    assert_type(maps.label("x", a="b", c=None), ConfigMap)
    assert_type(maps.wait("x", "create"), ConfigMap)
    assert_type(maps.wait("x", lambda found: found.data["a"] == "b"), ConfigMap)
    assert_type(maps.namespace("other").get("x"), ConfigMap)


def only_its_own_verbs(cs: Clientset, review: SubjectAccessReview) -> None:
    assert_type(cs.core_v1.bindings("d").create({}), Binding)
    cs.core_v1.bindings("d").get("x")  # type: ignore[attr-defined]
    cs.core_v1.bindings("d").list()  # type: ignore[attr-defined]
    cs.core_v1.bindings("d").delete("x")  # type: ignore[attr-defined]
    cs.core_v1.component_statuses().list()
    cs.core_v1.component_statuses().watch()  # type: ignore[attr-defined]
    cs.core_v1.namespaces().delete_collection()  # type: ignore[attr-defined]
    cs.core_v1.config_maps("d").update_status(ConfigMap())  # type: ignore[attr-defined]
    cs.core_v1.config_maps("d").logs("x")  # type: ignore[attr-defined]
    cs.apps_v1.daemon_sets("d").get_scale("x")  # type: ignore[attr-defined]
    assert_type(cs.authorization_v1.subject_access_reviews().create(review).status.allowed, bool)
    cs.authorization_v1.subject_access_reviews().get("x")  # type: ignore[attr-defined]


def wrong_arguments(cs: Clientset) -> None:
    pods = cs.core_v1.pods("default")
    pods.create(Deployment())  # type: ignore[arg-type]
    pods.apply(Deployment(), field_manager="me")  # type: ignore[arg-type]
    pods.get(None)  # type: ignore[arg-type]
    pods.list(label_selectr="x")  # type: ignore[call-arg]
    pods.delete("x", propagation="Background")  # type: ignore[call-arg]
    pods.patch("x", {})  # type: ignore[call-arg]
    pods.patch("x", {}, patch_type="stategic")  # type: ignore[arg-type]
    pods.apply(Pod())  # type: ignore[call-arg]
    cs.core_v1.nodes("ns")  # type: ignore[call-arg]


def subresources(cs: Clientset, event: Event) -> None:
    pods = cs.core_v1.pods("default")
    assert_type(pods.update_status(Pod()), Pod)
    assert_type(pods.apply_status({}, field_manager="me"), Pod)
    assert_type(pods.logs("x"), str)
    assert_type(pods.logs("x", follow=True), LogStream)
    assert_type(next(pods.logs("x", follow=True, tail_lines=1)), str)
    assert_type(pods.get_logs("x", container="c"), Request)
    assert_type(pods.proxy_get("x", "metrics", port=80).do_raw(), bytes)
    assert_type(pods.update_ephemeral_containers(Pod()), Pod)
    assert_type(pods.update_resize(Pod()), Pod)
    pods.evict("x", grace_period_seconds=0)
    pods.bind("x", "node-1")
    pods.logs("x", tail=1)  # type: ignore[call-overload]

    deployments = cs.apps_v1.deployments("default")
    assert_type(deployments.get_scale("x"), Scale)
    assert_type(deployments.update_scale("x", Scale()), Scale)
    assert_type(deployments.patch_scale("x", {}, patch_type="merge").spec.replicas, int)
    assert_type(deployments.apply_scale("x", {}, field_manager="me"), Scale)

    assert_type(cs.core_v1.service_accounts("d").create_token("x", audiences=["a"]), TokenRequest)
    assert_type(cs.core_v1.service_accounts("d").get("x"), ServiceAccount)
    assert_type(cs.core_v1.namespaces().finalize(Namespace()), Namespace)
    assert_type(cs.core_v1.nodes().patch_status("x", {}, patch_type="strategic"), Node)
    assert_type(cs.core_v1.events().search(Pod()), ObjectList[Event])
    assert_type(cs.core_v1.events().create_with_event_namespace(event), Event)


def any_resource(cs: Clientset) -> None:
    assert_type(cs.resource(Pod, "d").logs("x"), str)
    assert_type(cs.resource(Deployment, "d").get_scale("x"), Scale)
    assert_type(cs.resource("widgets.example.com", "d").get("x"), Unstructured)


def informers(cs: Clientset) -> None:
    factory = SharedInformerFactory(cs)
    deployments = factory.apps_v1.deployments
    assert_type(deployments.informer, SharedIndexInformer[Deployment])
    assert_type(deployments.lister, Lister[Deployment])
    assert_type(deployments.lister.list(selector="app=web"), list[Deployment])
    factory.core_v1.bindings  # type: ignore[attr-defined]
