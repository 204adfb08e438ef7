"""What a Deployment reads, and when it counts as changed."""

from __future__ import annotations

from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.core.v1 import ConfigMap, Container, PodSpec, PodTemplateSpec, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.examples.config_reloader.mounts import config_maps_of, fingerprint, references, secrets_of

EVERYWHERE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
        - name: first
          image: busybox
          env: [{name: A, valueFrom: {configMapKeyRef: {name: key, key: a}}}]
      containers:
        - name: web
          image: nginx
          env:
            - {name: B, value: plain}
            - {name: C, valueFrom: {secretKeyRef: {name: secret-key, key: c}}}
            - {name: D, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          envFrom: [{configMapRef: {name: whole}}, {secretRef: {name: secret-whole}}]
      volumes:
        - {name: a, configMap: {name: mounted}}
        - {name: b, secret: {secretName: secret-mounted}}
        - name: c
          projected: {sources: [{configMap: {name: projected}}, {secret: {name: secret-projected}}]}
        - {name: d, emptyDir: {}}
"""


def settings(name: str = "a", **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def test_all_places_that_name_configuration_are_found() -> None:
    web = Deployment.from_yaml(EVERYWHERE)

    assert config_maps_of(web) == ["key", "mounted", "projected", "whole"]
    assert secrets_of(web) == ["secret-key", "secret-mounted", "secret-projected", "secret-whole"]


def test_a_deployment_that_reads_nothing_has_none() -> None:
    spec = DeploymentSpec(template=PodTemplateSpec(spec=PodSpec(containers=[Container(name="web")])))

    assert config_maps_of(Deployment(metadata=ObjectMeta(name="web"), spec=spec)) == []


def test_what_it_reads_is_told_from_what_is_in_it() -> None:
    web, other = Deployment.from_yaml(EVERYWHERE), Deployment.from_yaml(EVERYWHERE.replace("whole", "part"))

    assert references(web) == references(Deployment.from_yaml(EVERYWHERE))
    assert references(web) != references(other)


def test_only_data_counts() -> None:
    labelled = settings(color="red")
    labelled.metadata.labels = {"a": "b"}
    labelled.metadata.resource_version = "7"

    assert fingerprint([settings(color="red")], []) == fingerprint([labelled], [])
    assert fingerprint([settings(color="red")], []) != fingerprint([settings(color="green")], [])
    assert fingerprint([settings(color="red")], []) != fingerprint([], [])


def test_order_does_not_count_but_names_do() -> None:
    a, b = settings("a", x="1"), settings("b", x="2")

    assert fingerprint([a, b], []) == fingerprint([b, a], [])
    assert fingerprint([a], []) != fingerprint([settings("c", x="1")], [])


def test_secrets_and_binary_data_count() -> None:
    def secret(value: bytes) -> Secret:
        return Secret(metadata=ObjectMeta(name="a"), data={"key": value})

    def binary(value: bytes) -> ConfigMap:
        return ConfigMap(metadata=ObjectMeta(name="a"), binary_data={"key": value})

    assert fingerprint([], [secret(b"1")]) != fingerprint([], [secret(b"2")])
    assert fingerprint([binary(b"1")], []) != fingerprint([binary(b"2")], [])
