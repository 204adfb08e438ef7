"""`ControlPlane` over stand-ins for etcd and kube-apiserver; over real ones it is in `test_control_plane_real`."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing import APIServer, BinaryNotFound, ControlPlane, ControlPlaneFailed, eventually
from tests.integration.control_planes import write_programs

pytest.importorskip("cryptography")

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of stand-ins, where they also write down what they do."""
    folder = write_programs(tmp_path / "bin")
    for name in [*os.environ]:
        if name.startswith(("KUBEBUILDER_", "TEST_ASSET_", "USE_EXISTING_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAKE_FOLDER", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    return folder


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def pid_of(notes: Path, name: str) -> int:
    return int((notes / f"{name}.pid").read_text())


def folders(notes: Path) -> list[Path]:
    return list(notes.parent.glob("k8srt-control-plane-*"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = write_programs(tmp_path_factory.mktemp("plane"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_FOLDER", str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        for name in ("KUBEBUILDER_ASSETS", "USE_EXISTING_CLUSTER"):
            patch.delenv(name, raising=False)
        with ControlPlane(folder, crds=[CRD]) as plane:
            yield plane


class TestOneControlPlane:
    """What can be asked of one that runs."""

    def test_ete_02_the_administrator_is_known_by_certificate_and_may_hurry(self, plane: ControlPlane) -> None:
        config = plane.config

        assert (config.qps, config.burst) == (1000.0, 2000)
        assert config.tls.cert_data.startswith(b"-----BEGIN CERTIFICATE")
        assert not config.bearer_token
        with Clientset(config) as cs:
            me = cs.authentication_v1.self_subject_reviews().create({})
            assert "system:masters" in me.status.user_info.groups
            assert cs.core_v1.namespaces().get("default").metadata.name == "default"

    def test_ete_02_others_are_made_and_have_their_own_rights(self, plane: ControlPlane) -> None:
        jane = plane.add_user("jane", "readers")

        with Clientset(jane) as cs:
            me = cs.authentication_v1.self_subject_reviews().create({})
            assert (me.status.user_info.username, "readers" in me.status.user_info.groups) == ("jane", True)
            with pytest.raises(errors.Forbidden):
                cs.core_v1.secrets("default").list()
        with pytest.raises(ValueError, match="a user has a name"):
            plane.add_user("")

    def test_ete_02_a_kubeconfig_is_all_one_needs(self, plane: ControlPlane) -> None:
        for text, name in ((plane.kubeconfig(), "k8srt-admin"), (plane.kubeconfig("jane", "readers"), "jane")):
            with Clientset(Config.from_kubeconfig(text.encode())) as cs:
                assert cs.authentication_v1.self_subject_reviews().create({}).status.user_info.username == name

    def test_ete_02_a_token_of_the_administrators_is_taken_too(self, plane: ControlPlane) -> None:
        config = plane.config
        config.tls = dataclasses.replace(config.tls, cert_data=b"", key_data=b"")
        config.bearer_token = plane.token

        with Clientset(config) as cs:
            assert cs.core_v1.namespaces().get("default").metadata.name == "default"

    def test_ete_02_who_shows_no_certificate_of_its_own_is_nobody(self, plane: ControlPlane) -> None:
        with Clientset(plane.config.anonymous()) as cs, pytest.raises(errors.StatusError) as caught:
            cs.core_v1.secrets("default").list()

        assert caught.value.code in (401, 403)

    def test_ete_03_definitions_are_served_once_it_has_started(self, plane: ControlPlane) -> None:
        with Clientset(plane.config) as cs:
            made = cs.resource("gadgets.example.com", "default").create(
                {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "one"}}
            )

        assert made.metadata.name == "one"

    def test_ete_06_nothing_looks_after_what_is_there(self, plane: ControlPlane) -> None:
        with Clientset(plane.config) as cs:
            namespaces = cs.core_v1.namespaces()
            namespaces.create({"metadata": {"name": "gone"}})
            assert cs.core_v1.service_accounts("gone").list().items == []
            namespaces.delete("gone")

            assert namespaces.get("gone").status.phase == "Terminating"

    def test_ete_01_it_starts_once_and_tells_where_it_is(self, plane: ControlPlane) -> None:
        assert repr(plane) == f"<ControlPlane {plane.url}: running>"
        assert plane.url.startswith("https://127.0.0.1:")
        assert plane.kubectl().name == "kubectl"
        with pytest.raises(errors.AlreadyStarted):
            plane.start()


def test_ete_05_the_api_server_ends_before_etcd_and_nothing_stays(notes: Path) -> None:
    plane = ControlPlane(notes).start()
    pids = [pid_of(notes, "etcd"), pid_of(notes, "kube-apiserver")]
    [folder] = folders(notes)
    assert (folder / "etcd" / "member").read_text() == "kept"
    assert (folder / "apiserver.key").stat().st_mode & 0o077 == 0

    plane.stop()
    plane.stop()

    assert (notes / "order").read_text().split() == ["kube-apiserver", "etcd"]
    assert not any(alive(pid) for pid in pids)
    assert folders(notes) == []
    assert "stopped" in repr(plane)


def test_ete_05_an_api_server_that_waits_for_who_watches_is_asked_again(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_APISERVER", "ends when asked twice")

    ControlPlane(notes).start().stop()

    assert (notes / "order").read_text().split() == ["kube-apiserver", "etcd"]  # it ended by itself: it wrote that down
    assert folders(notes) == []


def test_ete_05_what_does_not_end_is_killed_and_named(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_APISERVER", "does not end")
    plane = ControlPlane(notes, stop_timeout=0.3).start()
    pids = [pid_of(notes, "etcd"), pid_of(notes, "kube-apiserver")]

    with pytest.raises(ControlPlaneFailed, match=r"kube-apiserver did not end within 0\.3s and was killed"):
        plane.stop()

    eventually(lambda: not any(alive(pid) for pid in pids))
    assert folders(notes) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ete_05_the_programs_die_with_the_process_that_tests(notes: Path, number: signal.Signals) -> None:
    code = "import sys, time\nfrom k8srt.testing import ControlPlane\n"
    code += "plane = ControlPlane(sys.argv[1]).start()\nprint('up', flush=True)\ntime.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(notes)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        pids = [pid_of(notes, "etcd"), pid_of(notes, "kube-apiserver")]
        assert all(alive(pid) for pid in pids)

        parent.send_signal(number)
        parent.wait(20)

    eventually(lambda: not any(alive(pid) for pid in pids), timeout=20.0)
    eventually(lambda: folders(notes) == [], timeout=20.0)


def test_ete_05_a_program_dies_with_its_guard(notes: Path) -> None:
    with ControlPlane(notes) as plane:
        assert plane._etcd is not None
        etcd = pid_of(notes, "etcd")
        os.kill(plane._etcd.pid, signal.SIGKILL)

        eventually(lambda: not alive(etcd))


def test_ete_01_a_program_that_does_not_start_is_tried_again(
    notes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FAKE_APISERVER", "fails once")

    with caplog.at_level(logging.WARNING), ControlPlane(notes) as plane, Clientset(plane.config) as cs:
        assert cs.core_v1.namespaces().get("default").metadata.name == "default"

    assert "starting again, 4 tries are left: kube-apiserver ended with 1" in caplog.text
    assert "cannot bind: address already in use" in caplog.text


def test_ete_01_after_five_tries_it_says_what_the_program_wrote(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ETCD", "fails")

    with pytest.raises(ControlPlaneFailed, match=r"(?s)etcd ended with 1 .*wrote last:\n.*address already in use"):
        ControlPlane(notes).start()

    assert folders(notes) == []


def test_ete_01_a_program_that_never_is_ready_is_ended(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ETCD", "never ready")
    monkeypatch.setenv("KUBEBUILDER_CONTROLPLANE_START_TIMEOUT", "300ms")

    with pytest.raises(ControlPlaneFailed, match=r"etcd was not ready after 0\.3s"):
        ControlPlane(notes).start()

    eventually(lambda: not alive(pid_of(notes, "etcd")))


def test_ete_01_why_it_did_not_start_is_told_also_when_it_had_to_be_killed(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ETCD", "does not end")
    monkeypatch.setattr("k8srt.testing.control_plane._answers", lambda *_: not eventually((notes / "etcd.pid").exists))
    monkeypatch.setattr("k8srt.testing.control_plane.TRIES", 1)

    with pytest.raises(ControlPlaneFailed, match=r"etcd was not ready after 0\.5s") as caught:
        ControlPlane(notes, start_timeout=0.5).start()

    assert caught.value.__notes__ == ["etcd did not end within 0.5s and was killed"]
    eventually(lambda: not alive(pid_of(notes, "etcd")))


def test_ete_01_what_is_no_timeout_is_named(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT", "soon")

    with pytest.raises(errors.ConfigError, match=r"\$KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT: 'soon' is no duration"):
        ControlPlane(notes)


def test_ete_01_the_output_may_be_seen(
    notes: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT", "true")

    with ControlPlane(notes):
        pass

    assert capfd.readouterr().out.count("starting") == 2


def test_ete_01_programs_that_are_missing_are_named_when_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(BinaryNotFound, match="etcd was not found"):
        ControlPlane()


def test_ete_03_a_definition_that_is_wrong_ends_the_start_and_leaves_nothing(notes: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ControlPlane(notes, crds=["/no/such/folder"]).start()

    assert not alive(pid_of(notes, "kube-apiserver"))
    assert folders(notes) == []


def test_ete_01_an_existing_cluster_is_used_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("USE_EXISTING_CLUSTER", "true")
    with APIServer(authorization_mode="RBAC", tls=True) as server:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(server.kubeconfig())
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

        with ControlPlane(crds=[CRD], clean_up_after_use=True) as plane:
            assert plane.url == server.url
            with Clientset(plane.config) as cs:
                assert cs.resource("gadgets.example.com").list().items == []
            with Clientset(plane.config_for("jane", "readers")) as cs, pytest.raises(errors.Forbidden, match="jane"):
                cs.core_v1.secrets("default").list()
            for text, name in ((plane.kubeconfig(), "system:admin"), (plane.kubeconfig("jane"), "jane")):
                with Clientset(Config.from_kubeconfig(text.encode())) as cs:
                    assert cs.authentication_v1.self_subject_reviews().create({}).status.user_info.username == name
            with pytest.raises(errors.ConfigError, match="no authority"):
                plane.client_certificate("jane")

        with Clientset(server.config) as cs:
            crds = cs.resource("customresourcedefinitions.apiextensions.k8s.io")
            eventually(lambda: crds.list().items == [])
