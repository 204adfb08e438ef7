"""Webhook configurations as they are deployed, led to a server of the tests."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.controller.webhook.server import WebhookServer
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually, install_crds, install_webhooks
from k8srt.testing.choosing import Server
from tests.integration.test_control_plane import CRD

pytest.importorskip("cryptography")

DEPLOYED = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: maps}
webhooks:
- name: maps.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {namespace: system, name: hooks, path: /validate-maps}}
  rules:
  - {apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}
---
apiVersion: v1
kind: Service
metadata: {name: hooks, namespace: system}
"""
HOOKS = "validatingwebhookconfigurations.admissionregistration.k8s.io"


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


def test_ete_04_a_service_becomes_a_server_of_the_tests(cs: Clientset) -> None:
    with install_webhooks(cs, DEPLOYED) as local:
        server = WebhookServer(host=local.host, port=local.port, cert_dir=local.directory)
        manager = Manager(cs, webhook_server=server)

        @manager.validate(ConfigMap, path="/validate-maps")
        def check(obj: Any) -> None:
            if obj.metadata.name == "bad":
                raise ValueError("a bad name")

        with manager:
            maps = cs.core_v1.config_maps("default")
            eventually(lambda: maps.create({"metadata": {"name": "good"}}))
            with pytest.raises(errors.StatusError, match="a bad name"):
                maps.create({"metadata": {"name": "bad"}})

    assert not local.directory.exists()
    assert cs.resource(HOOKS).list().items == []
    assert maps.create({"metadata": {"name": "bad"}}).metadata.name == "bad"


def test_ete_04_definitions_are_told_who_converts(cs: Clientset) -> None:
    install_crds(cs, CRD)
    crds = cs.resource("customresourcedefinitions.apiextensions.k8s.io")

    with install_webhooks(cs, convertible=["gadgets.example.com"]) as local:
        told = crds.get("gadgets.example.com")["spec"]["conversion"]
        assert told["webhook"]["clientConfig"]["url"] == f"https://127.0.0.1:{local.port}/convert"

    assert crds.get("gadgets.example.com")["spec"]["conversion"] == {"strategy": "None"}
