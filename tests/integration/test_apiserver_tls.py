"""The embedded server over TLS, reached by the configuration and the kubeconfig it gives."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from k8srt.tools.clientcmd import rest_config_from_kubeconfig
from tests.integration.wire import Authority

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")


@pytest.fixture
def server(tmp_path):
    authority = Authority()
    certificate, key = authority.issue("127.0.0.1")
    chain, private = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate + authority.certificate)
    private.write_bytes(key)
    with APIServer(certificate=str(chain), private_key=str(private)) as server:
        yield server


def test_its_own_configuration_trusts_it(server):
    maps = Clientset(server.config).core_v1.config_maps("default")

    assert server.url.startswith("https://")
    assert maps.create(ConfigMap(metadata=ObjectMeta(name="c"))).metadata.name == "c"


def test_its_kubeconfig_trusts_it(server):
    config = rest_config_from_kubeconfig(server.kubeconfig().encode())

    assert len(Clientset(config).core_v1.namespaces().list()) >= 2
