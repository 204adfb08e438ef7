"""The operator over HTTP: its controllers, its webhooks, its figures, its election, its rights."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.coordination.v1 import Lease
from k8srt.api.core.v1 import Service
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.cli.main import main as k8srt
from k8srt.examples.webapp_operator import main as program
from k8srt.examples.webapp_operator.api import Preview, PreviewSpec, WebApp, WebAppSpec
from k8srt.examples.webapp_operator.main import NAME, NAMESPACE, make_manager
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, Simulation
from k8srt.testing.choosing import Server
from tests.integration.strictly import Strict, strictly

pytest.importorskip("cryptography")

MANIFESTS = Path(program.__file__).with_name("manifests")
QUICK = Simulation(start=(0.0, 0.01), stop=(0.0, 0.01))
HOME = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
NS = "default"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def app(name: str = "shop", image: str = "nginx:1.27", replicas: int = 2) -> WebApp:
    return WebApp(metadata=ObjectMeta(name=name), spec=WebAppSpec(image=image, replicas=replicas, port=80))


@pytest.fixture
def strict() -> Iterator[Strict]:
    """The operator with the rights that it asks for and no others, on a server that asks its webhooks."""
    port = free_port()

    def make(config):
        return make_manager(config, webhook_port=port, health_address="127.0.0.1:0", metrics_address="127.0.0.1:0")

    services = {f"{NAMESPACE}/{NAME}": f"127.0.0.1:{port}"}
    with (
        APIServer(authorization_mode="RBAC", simulate=QUICK, webhook_services=services) as server,
        strictly(server, make, MANIFESTS / "crds.yaml", HOME) as strict,
        strict.manager as mgr,
    ):
        assert mgr.wait_elected(20)
        yield strict


@pytest.mark.embedded
def test_a_web_app_becomes_a_deployment_and_a_service(strict: Strict) -> None:
    apps = strict.admin.resource(WebApp, NS)
    apps.create(app())

    there = apps.wait("shop", lambda shop: shop.status.available == 2, timeout=20)
    assert there.status.address == "http://shop.default"
    assert there.spec.image == "registry.example.com/nginx:1.27"  # so the webhook was asked
    assert strict.admin.resource(Service, NS).get("shop").spec.ports[0].target_port == 80

    apps.patch("shop", {"spec": {"replicas": 3}}, patch_type="merge")
    apps.wait("shop", lambda shop: shop.status.available == 3, timeout=20)

    apps.delete("shop")
    strict.admin.resource(Deployment, NS).wait("shop", "delete", timeout=20)


@pytest.mark.embedded
def test_an_image_without_a_version_is_refused(strict: Strict) -> None:
    with pytest.raises(errors.StatusError, match="must say a version"):
        strict.admin.resource(WebApp, NS).create(app(image="nginx:latest"))


@pytest.mark.embedded
def test_a_preview_is_over_after_a_while(strict: Strict) -> None:
    apps, previews = strict.admin.resource(WebApp, NS), strict.admin.resource(Preview, NS)
    apps.create(app())
    previews.create(
        Preview(metadata=ObjectMeta(name="next"), spec=PreviewSpec(app="shop", image="nginx:1.28", seconds=3))
    )

    shown = apps.wait("next", "create", timeout=20)
    assert (shown.spec.image, shown.spec.port) == ("registry.example.com/nginx:1.28", 80)
    strict.wait_for_event("Expired")
    previews.wait("next", "delete", timeout=20)
    apps.wait("next", "delete", timeout=20)
    assert apps.get("shop").metadata.deletion_timestamp is None


@pytest.mark.embedded
def test_it_says_how_it_is_and_what_it_has_done(strict: Strict) -> None:
    strict.admin.resource(WebApp, NS).create(app())
    strict.admin.resource(WebApp, NS).wait("shop", lambda shop: shop.status.available == 2, timeout=20)

    with urllib3.PoolManager() as pool:
        ready = pool.request("GET", f"{strict.manager.health_url}/readyz?verbose")
        figures = pool.request("GET", strict.manager.metrics_url)

    assert ready.status == 200
    assert b"[+]caches ok" in ready.data
    assert b'controller_runtime_reconcile_total{controller="webapp",result="success"}' in figures.data


@pytest.mark.embedded
def test_the_rights_in_the_manifests_are_those_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    target = "k8srt.examples.webapp_operator.main:make_manager"

    assert k8srt(["rbac", target, "--name", NAME, "--service-account", f"{NAMESPACE}/{NAME}"]) == 0

    assert capsys.readouterr().out == (MANIFESTS / "rbac.yaml").read_text()


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.mark.server_at_least("1.25")  # defaults of keys of lists in server-side apply
def test_the_manifests_are_taken_by_a_server(cs: Clientset) -> None:
    for name in ("operator.yaml", "crds.yaml", "rbac.yaml"):
        cs.apply(MANIFESTS / name)

    deployment = cs.apps_v1.deployments(NAMESPACE).get(NAME)
    account = deployment.spec.template.spec.service_account_name
    assert cs.core_v1.service_accounts(NAMESPACE).get(account)


def test_when_the_leader_ends_another_leads(cs: Clientset, kubeconfig: Path) -> None:
    cs.apply(HOME)
    cs.apply(MANIFESTS / "crds.yaml")
    command = [sys.executable, "-m", "k8srt.examples.webapp_operator", "--kubeconfig", str(kubeconfig)]
    command += ["--no-webhooks", "--health", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    leases = cs.resource(Lease, NAMESPACE)
    with subprocess.Popen(command) as first:
        try:
            leases.wait(NAME, "create", timeout=20)
            before = leases.wait(NAME, lambda lease: lease.spec.holder_identity, timeout=20).spec.holder_identity
            with subprocess.Popen(command) as second:
                try:
                    first.terminate()
                    assert first.wait(20) == 0
                    taken = leases.wait(NAME, lambda it: it.spec.holder_identity not in ("", before), timeout=20)
                    assert taken is not None
                    cs.resource(WebApp, NS).create(app())
                    cs.resource(Deployment, NS).wait("shop", "create", timeout=20)
                    second.terminate()
                    assert second.wait(20) == 0
                finally:
                    second.kill()
        finally:
            first.kill()
