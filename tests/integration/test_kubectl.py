"""A real kubectl against `k8srt apiserver`, with the sample controller and the stand-ins acting on what it did.

Everything is a process of its own, as a person would start it. The oldest, the usual and the newest kubectl of the
machine are used; where there is none, the tests are skipped.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from k8srt.examples.sample_controller import main as sample
from tests.integration.programs import Kubectl, Process, binaries, number

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl, pytest.mark.timeout(120)]

FOLDER = Path(sample.__file__).parent
FOO = (FOLDER / "example-foo.yaml").read_text()
FOREIGN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: foreign}
spec:
  selector: {matchLabels: {app: foreign}}
  template:
    metadata: {labels: {app: foreign}}
    spec: {containers: [{name: nginx, image: nginx}]}
"""
CRD = "foos.samplecontroller.k8s.io"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The kubeconfig of a server with everything that makes Foos work."""
    if not binaries():
        pytest.skip("there is no kubectl on the PATH")
    folder = tmp_path_factory.mktemp("cluster")
    kubeconfig = folder / "kubeconfig"
    processes = [Process("k8srt.cli.main", "apiserver", "--port", 0, "--kubeconfig", kubeconfig)]
    try:
        processes[0].wait_for("http")
        kubectl = Kubectl(binaries()[-1], kubeconfig, folder, "default")
        kubectl("apply", "-f", str(FOLDER / "crd.yaml"))
        kubectl.wait(f"crd/{CRD}", "condition=Established")
        for name, *more in (("sample_controller",), ("stand_ins", "--start-delay", 0.05, "--stop-delay", 0.05)):
            processes.append(Process(f"k8srt.examples.{name}", "--kubeconfig", kubeconfig, *more))
            processes[-1].wait_for("running")
        yield kubeconfig
    finally:
        codes = [process.stop() for process in reversed(processes)]
        written = "\n".join(process.output() for process in processes)
    assert set(codes) == {0}, written
    assert "Traceback" not in written, written[written.find("Traceback") - 500 :][:6000]


@pytest.fixture(scope="module", params=binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def kubectl(request, cluster, tmp_path_factory):
    """Each kubectl, in a namespace of its own in which a Foo is there and reconciled."""
    name = f"with-{number(request.param)}"
    kubectl = Kubectl(request.param, cluster, tmp_path_factory.mktemp(name), name)
    kubectl("create", "namespace", name)
    assert kubectl("apply", "-f", "-", stdin=FOO).strip() == "foo.samplecontroller.k8s.io/example-foo created"
    kubectl.wait("foo/example-foo", "jsonpath={.status.availableReplicas}=2")
    return kubectl


def another(kubectl: Kubectl, name: str, replicas: int = 1) -> str:
    """A Foo for one test alone, reconciled."""
    manifest = FOO.replace("example-foo", name).replace("replicas: 2", f"replicas: {replicas}")
    kubectl("apply", "-f", "-", stdin=manifest)
    kubectl.wait(f"foo/{name}", f"jsonpath={{.status.availableReplicas}}={replicas}")
    return manifest


def test_apply_again_changes_nothing(kubectl):
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=FOO)
    assert "unchanged" in kubectl("apply", "-f", str(FOLDER / "crd.yaml"))


def test_get_shows_the_columns_of_the_definition(kubectl):
    head, line = kubectl("get", "foos", "example-foo", "-o", "wide").splitlines()

    assert head.split() == ["NAME", "DEPLOYMENT", "WANTED", "AVAILABLE", "AGE"]
    assert line.split()[:4] == ["example-foo", "example-foo", "2", "2"]


def test_get_shows_what_the_cluster_made_of_it(kubectl):
    assert re.search(r"^example-foo\s+2/2\s+2\s+2\s", kubectl("get", "deployment", "example-foo", "-o", "wide"), re.M)
    pods = kubectl("get", "pods", "-l", "app=example-foo", "-o", "wide", "--no-headers").splitlines()
    assert [line.split()[1:3] for line in pods] == [["1/1", "Running"]] * 2
    everything = kubectl("get", "all")
    assert "deployment.apps/example-foo" in everything
    assert "foo.samplecontroller.k8s.io/example-foo" in everything
    assert kubectl("get", "fo", "example-foo", "-o", "jsonpath={.spec.deploymentName}") == "example-foo"
    assert "kind: Foo" in kubectl("get", "foo/example-foo", "-o", "yaml")
    assert kubectl("rollout", "status", "deployment/example-foo", "--timeout=20s")


def test_get_watches(kubectl):
    another(kubectl, "watched")
    with kubectl.watching("foo", "watched") as lines:
        assert next(lines).split()[:4] == ["watched", "watched", "1", "1"]

        kubectl("scale", "foo", "watched", "--replicas=3")

        assert any(line.split()[2:4] == ["3", "3"] for line in lines)
    kubectl("delete", "foo", "watched")


def test_describe_shows_the_events(kubectl):
    said = kubectl("describe", "foo", "example-foo")

    assert re.search(r"Normal\s+Created\s.*sample-controller\s+created Deployment example-foo with 2 replicas", said)
    assert re.search(r"Normal\s+Synced\s.*in sync: Deployment example-foo has 2 replicas available", said)
    assert re.search(r"Replicas:\s+2 desired \| 2 updated \| 2 total \| 2 available", kubectl("describe", "deploy"))


def test_scale_reaches_the_pods(kubectl):
    another(kubectl, "scaled")

    assert "scaled" in kubectl("scale", "--replicas=2", "foo/scaled")

    kubectl.wait("foo/scaled", "jsonpath={.status.availableReplicas}=2")
    assert kubectl("get", "deployment", "scaled", "-o", "jsonpath={.spec.replicas}") == "2"
    kubectl("delete", "foo", "scaled")


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec": {"replicas": 3}}'),
        ("json", '[{"op": "replace", "path": "/spec/replicas", "value": 3}]'),
    ],
)
def test_a_patched_foo_scales_its_deployment(kubectl, kind, patch):
    another(kubectl, f"by-{kind}")

    assert "patched" in kubectl("patch", "foo", f"by-{kind}", f"--type={kind}", "-p", patch)

    kubectl.wait(f"foo/by-{kind}", "jsonpath={.status.availableReplicas}=3")
    kubectl("delete", "foo", f"by-{kind}")


def test_a_strategic_patch_is_for_built_in_kinds_and_drift_is_corrected(kubectl):
    another(kubectl, "drifted")
    assert "patched" in kubectl("patch", "deployment", "drifted", "-p", '{"spec": {"replicas": 5}}')

    kubectl.wait("deployment/drifted", "jsonpath={.spec.replicas}=1")

    refusal = kubectl.refused("patch", "foo", "drifted", "--type=strategic", "-p", '{"spec": {"replicas": 5}}')
    assert "strategic" in refusal
    kubectl("delete", "foo", "drifted")


def test_server_side_apply_owns_what_it_says(kubectl):
    manifest = another(kubectl, "owned")
    forced = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    assert "serverside-applied" in kubectl(*forced, stdin=manifest.replace("replicas: 1", "replicas: 2"))

    kubectl.wait("foo/owned", "jsonpath={.status.availableReplicas}=2")

    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    assert "conflict" in kubectl.refused(*other, stdin=manifest)
    kubectl("delete", "foo", "owned")


def test_edit(kubectl):
    another(kubectl, "edited")

    assert "edited" in kubectl("edit", "foo", "edited", KUBE_EDITOR="sed -i 's/replicas: 1$/replicas: 2/'")

    kubectl.wait("foo/edited", "jsonpath={.status.availableReplicas}=2")
    kubectl("delete", "foo", "edited")


def test_label_and_annotate(kubectl):
    foo = "foo/example-foo"
    assert "labeled" in kubectl("label", foo, "tier=web")
    assert kubectl("get", "foos", "-l", "tier=web", "-o", "name").strip() == f"foo.samplecontroller.k8s.io/{foo[4:]}"
    assert "already has a value" in kubectl.refused("label", foo, "tier=db")
    kubectl("label", foo, "tier=db", "--overwrite")
    kubectl("label", foo, "tier-")
    assert kubectl("get", "foos", "-l", "tier", "-o", "name") == ""

    assert "annotate" in kubectl("annotate", foo, "note=hello")
    assert kubectl("get", foo, "-o", "jsonpath={.metadata.annotations.note}") == "hello"
    kubectl("annotate", foo, "note-")


def test_delete_takes_the_deployment_along(kubectl):
    another(kubectl, "doomed")

    assert 'foo.samplecontroller.k8s.io "doomed" deleted' in kubectl("delete", "foo", "doomed")

    kubectl.wait("deployment/doomed", "delete")
    assert "not found" in kubectl.refused("get", "deployment", "doomed")


def test_a_deployment_that_is_deleted_comes_back(kubectl):
    another(kubectl, "stubborn")
    uid = kubectl("get", "deployment", "stubborn", "-o", "jsonpath={.metadata.uid}")

    with kubectl.watching("deployment", "stubborn", "-o", "custom-columns=U:.metadata.uid") as lines:
        assert next(lines).strip() == uid
        kubectl("delete", "deployment", "stubborn", "--wait=false")
        assert any(line.strip() != uid for line in lines)

    kubectl.wait("deployment/stubborn", "condition=Available")
    kubectl("delete", "foo", "stubborn")


def test_a_name_that_is_taken_is_refused_and_said(kubectl):
    kubectl("apply", "-f", "-", stdin=FOREIGN)
    kubectl("apply", "-f", "-", stdin=FOO.replace("example-foo", "foreign"))

    columns = "custom-columns=R:.reason,K:.involvedObject.kind,N:.involvedObject.name"
    with kubectl.watching("events", "-o", columns) as lines:
        assert any(line.split() == ["ErrResourceExists", "Foo", "foreign"] for line in lines)
    kubectl("delete", "deployment/foreign", "foo/foreign")


def test_what_is_not_valid_is_refused(kubectl):
    refusal = kubectl.refused("apply", "-f", "-", stdin=FOO.replace("replicas: 2", "replicas: 11"))
    assert "spec.replicas" in refusal
    refusal = kubectl.refused("apply", "-f", "-", stdin=FOO.replace("replicas: 2", "replicas: many"))
    assert "spec.replicas" in refusal
    refusal = kubectl.refused("apply", "-f", "-", stdin=FOO.replace("replicas: 2", "replica: 2"))
    assert "spec.replica" in refusal


def test_api_resources_lists_foos_beside_the_built_in_kinds(kubectl):
    resources = kubectl("api-resources")

    assert re.search(r"^foos\s+fo\s+samplecontroller.k8s.io/v1alpha1\s+true\s+Foo$", resources, re.M)
    assert re.search(r"^deployments\s+deploy\s+apps/v1\s+true\s+Deployment$", resources, re.M)
    assert "samplecontroller.k8s.io/v1alpha1" in kubectl("api-versions").splitlines()


def test_explain(kubectl):
    foo = kubectl("explain", "foo.spec")
    assert "How many replicas the Deployment should have." in foo
    assert re.search(r"deploymentName\s+<string>", foo)
    assert re.search(r"<integer>", kubectl("explain", "deployment.spec.replicas"))
    assert "selector" in kubectl("explain", "deployment.spec")


def test_conditions_are_waited_for(kubectl):
    kubectl.wait("deployment/example-foo", "condition=Available")
    assert "timed out" in kubectl.refused("wait", "foo/example-foo", "--for=condition=Never", "--timeout=1s")
