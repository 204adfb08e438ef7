"""The sample controllers against an API server over real HTTP, step by step. Deployments are worked on by hand here.

There are two, one wired by hand and one on the controller runtime, and nobody outside can tell them apart.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading

import pytest

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.owners import controller_of
from k8srt.errors import K8srtError, NotFound, Unauthorized
from k8srt.examples.demo.audience import Audience
from k8srt.examples.demo.narrator import Narrator
from k8srt.examples.sample_controller import main as hand_wired
from k8srt.examples.sample_controller.controller import Outdated
from k8srt.examples.sample_controller.deployment import deployment_for
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo, FooSpec
from k8srt.examples.sample_controller.foo.client import Clientset
from k8srt.examples.sample_controller_runtime import main as on_the_runtime
from k8srt.testing import APIServer, install_crds
from k8srt.util import retry

LIMIT = 30.0


@pytest.fixture
def server(own_server):
    return own_server


@pytest.fixture
def cs(server):
    """A client of a server that serves Foos and has nobody who works on Deployments."""
    config = server.config.copy()
    config.qps = -1.0
    with Clientset(config) as clientset:
        install_crds(clientset, hand_wired.crd())
        yield clientset


@pytest.fixture
def audience(cs, namespace):
    with Audience(cs, namespace, Narrator(io.StringIO())) as audience:
        yield audience


@pytest.fixture(params=[hand_wired, on_the_runtime], ids=["hand-wired", "runtime"])
def sample(request):
    """One of the two, as a module."""
    return request.param


@pytest.fixture
def controller(cs, sample, namespace):
    with sample.running(cs, namespace=namespace) as controller:
        yield controller


@pytest.fixture
def by_hand(cs, namespace):
    with hand_wired.running(cs, namespace=namespace) as controller:
        yield controller


def foo(name="web", deployment="nginx", replicas=2):
    return Foo(metadata=ObjectMeta(name=name), spec=FooSpec(deployment_name=deployment, replicas=replicas))


def wait(audience, done, what="it"):
    audience.wait(done, lambda: f"{what} did not happen", LIMIT)


def make_available(cs, namespace, name, count):
    """What a deployment controller would write."""
    status = {"status": {"replicas": count, "availableReplicas": count, "readyReplicas": count}}
    cs.apps_v1.deployments(namespace).patch(name, status, patch_type="merge", subresource="status")


def test_a_foo_gets_a_deployment_that_it_owns(cs, audience, controller, namespace):
    made = cs.samplecontroller_v1alpha1.foos(namespace).create(foo())

    wait(audience, lambda: audience.deployment("nginx") is not None)
    deployment = audience.deployment("nginx")
    assert deployment.spec.replicas == 2
    assert controller_of(deployment).uid == made.metadata.uid
    wait(audience, lambda: audience.events("web")["Created"] == 1)


@pytest.mark.idle
def test_the_status_follows_the_deployment(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.deployment("nginx") is not None)

    make_available(cs, namespace, "nginx", 1)
    wait(audience, lambda: audience.foo("web").status.available_replicas == 1)
    assert audience.events("web")["Synced"] == 0

    make_available(cs, namespace, "nginx", 2)
    wait(audience, lambda: audience.foo("web").status.available_replicas == 2)
    wait(audience, lambda: audience.events("web")["Synced"] == 1)
    assert audience.foo("web").metadata.generation == 1  # the spec was never touched


def test_a_scaled_foo_scales_its_deployment(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.deployment("nginx") is not None)

    def scale_up():
        scale = cs.samplecontroller_v1alpha1.foos(namespace).get_scale("web")
        scale.spec.replicas = 5
        cs.samplecontroller_v1alpha1.foos(namespace).update_scale("web", scale)

    retry.on_conflict(scale_up)  # the controller may write the status meanwhile

    wait(audience, lambda: audience.deployment("nginx").spec.replicas == 5)
    wait(audience, lambda: audience.events("web")["Scaled"] == 1)


def test_drift_is_corrected(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.deployment("nginx") is not None)

    cs.apps_v1.deployments(namespace).patch("nginx", {"spec": {"replicas": 7}}, patch_type="merge")

    wait(audience, lambda: audience.events("web")["Scaled"] == 1)
    wait(audience, lambda: audience.deployment("nginx").spec.replicas == 2)


def test_a_deployment_that_is_deleted_by_hand_comes_back(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.deployment("nginx") is not None)
    first = audience.deployment("nginx").metadata.uid

    cs.apps_v1.deployments(namespace).delete("nginx")

    wait(audience, lambda: (again := audience.deployment("nginx")) is not None and again.metadata.uid != first)


def test_a_deployment_of_somebody_else_is_left_alone_until_its_name_is_free(cs, audience, controller, namespace):
    foreign = deployment_for(foo(replicas=9))
    foreign.metadata.owner_references = None
    foreign = cs.apps_v1.deployments(namespace).create(foreign)

    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.events("web")["ErrResourceExists"] == 1)
    left = cs.apps_v1.deployments(namespace).get("nginx")
    assert (left.metadata.generation, left.metadata.owner_references) == (foreign.metadata.generation, None)
    [event] = cs.core_v1.events(namespace).list(field_selector="involvedObject.name=web")
    assert (event.type, event.source.component) == ("Warning", "sample-controller")
    assert "nginx exists already" in event.message

    cs.apps_v1.deployments(namespace).delete("nginx")
    wait(audience, lambda: audience.events("web")["Created"] == 1)


def test_a_foo_that_is_gone_gets_no_deployment_whatever_the_cache_says(cs, by_hand, namespace):
    foos = cs.samplecontroller_v1alpha1.foos(namespace)
    known = foos.create(foo(deployment="known"))
    foos.delete("web")
    with pytest.raises(NotFound):
        by_hand._create(known)

    foos.create(foo(deployment="another"))
    with pytest.raises(Outdated):
        by_hand._create(known)


def test_a_foo_that_changes_its_mind_leaves_no_deployment_behind(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    wait(audience, lambda: audience.deployment("nginx") is not None)

    cs.samplecontroller_v1alpha1.foos(namespace).patch("web", {"spec": {"deploymentName": "caddy"}}, patch_type="merge")

    wait(audience, lambda: audience.deployment("caddy") is not None)
    wait(audience, lambda: audience.deployment("nginx") is None)


def test_repetition_is_counted_in_one_event(cs, audience, controller, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())
    for count in (1, 2, 3):
        wait(audience, lambda count=count: audience.events("web")["Created"] == count)
        wait(audience, lambda: audience.deployment("nginx") is not None)
        cs.apps_v1.deployments(namespace).delete("nginx")
    wait(audience, lambda: audience.events("web")["Created"] == 4)

    events = [event for event in cs.core_v1.events(namespace).list() if event.reason == "Created"]
    assert [event.count for event in events] == [4]


def test_a_reconcile_that_raises_is_tried_again_and_the_worker_lives_on(
    cs, audience, by_hand, monkeypatch, caplog, namespace
):
    reconcile, failures = by_hand.reconcile, iter([ValueError("boom")] * 3)

    def flaky(key):
        if error := next(failures, None):
            raise error
        reconcile(key)

    monkeypatch.setattr(by_hand, "reconcile", flaky)
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())

    wait(audience, lambda: audience.deployment("nginx") is not None)
    assert [record.levelname for record in caplog.records if "a bug" in record.message] == ["ERROR"] * 3


def test_foos_that_are_there_before_the_controller_are_served_too(cs, audience, sample, namespace):
    cs.samplecontroller_v1alpha1.foos(namespace).create(foo())

    with sample.running(cs, namespace=namespace):
        wait(audience, lambda: audience.deployment("nginx") is not None)


def test_run_returns_when_it_is_told_to_stop(cs, pool, sample, namespace):
    stop = threading.Event()
    done = pool.submit(sample.run, cs.config, namespace=namespace, workers=3, stop=stop)

    stop.set()

    done.result(timeout=LIMIT)  # and the threads are gone: conftest.py looks


def test_without_the_definition_the_controller_says_so_at_once(server, sample):
    with pytest.raises(K8srtError, match=r"apply crd\.yaml first"):
        sample.run(server.config, stop=threading.Event())


# ---- as a program -------------------------------------------------------------------------------------------------


def program(sample, kubeconfig, *words):
    """What `subprocess` needs to run the controller."""
    command = [sys.executable, "-m", sample.__package__, "--kubeconfig", str(kubeconfig), *words]
    return {"args": command, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_program_gracefully(cs, server, tmp_path, sample, number):
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(server.kubeconfig())

    with subprocess.Popen(**program(sample, kubeconfig, "--workers", "3")) as process:
        try:
            said = next(line for line in process.stderr if "running with" in line)
            process.send_signal(number)
            _, rest = process.communicate(timeout=LIMIT)
        finally:
            process.kill()

    assert "running with 3 workers" in said
    assert process.returncode == 0
    assert "stopped" in rest
    assert "Traceback" not in rest


@pytest.mark.embedded
def test_a_server_that_is_not_there_is_one_line(tmp_path, sample):
    with APIServer() as server:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(server.kubeconfig())

    done = subprocess.run(**program(sample, kubeconfig), timeout=LIMIT, check=False)

    assert done.returncode == 1
    [said] = [line for line in done.stderr.splitlines() if line.startswith("sample-controller: ")]
    assert server.url in said
    assert "Traceback" not in done.stderr


def test_a_server_that_refuses_is_one_line(cs, server, sample, namespace):
    config = server.config.anonymous()
    config.bearer_token = "wrong"

    with pytest.raises(Unauthorized, match="GET http"):
        sample.run(config, namespace=namespace, stop=threading.Event())
