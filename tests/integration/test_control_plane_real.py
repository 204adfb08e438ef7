"""`ControlPlane` over real programs, etcd and kube-apiserver, where they are installed: see docs/testing.md."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.controller.webhook.server import WebhookServer
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing import (
    BinaryNotFound,
    ControlPlane,
    ControlPlaneFailed,
    eventually,
    install_crds,
    install_webhooks,
    uninstall_crds,
)
from k8srt.testing.control_plane_binaries import find_binary
from tests.integration.test_control_plane import CRD, alive
from tests.integration.test_webhooks_for_tests import DEPLOYED, HOOKS

pytest.importorskip("cryptography")
pytestmark = pytest.mark.timeout(240)  # a start takes some seconds, several on a busy machine

WAIT = 60.0
# A role of its own: what is in `view` and `edit` comes from the controller manager.
READERS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: readers, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: readers}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]
"""


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    try:
        find_binary("etcd")
        find_binary("kube-apiserver")
    except BinaryNotFound as err:
        pytest.skip(str(err))


@pytest.fixture(scope="module")
def plane(_installed: None) -> Iterator[ControlPlane]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("USE_EXISTING_CLUSTER", raising=False)
        with ControlPlane(crds=[CRD], start_timeout=WAIT, stop_timeout=WAIT) as plane:
            yield plane


@pytest.fixture
def cs(plane: ControlPlane) -> Iterator[Clientset]:
    with Clientset(plane.config) as cs:
        yield cs


@pytest.fixture
def alone(_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds what control planes of this test keep."""
    monkeypatch.delenv("USE_EXISTING_CLUSTER", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def processes_of(folder: Path) -> list[int]:
    """Those that were told of the folder: the programs and their guards."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(folder) in path.read_bytes() and alive(int(path.parent.name)):
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def readable(cs: Clientset) -> bool:
    return cs.core_v1.config_maps("default").list() is not None


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("k8srt-control-plane-*"))


def test_ete_01_it_is_a_real_one_and_has_what_it_needs(plane: ControlPlane, cs: Clientset) -> None:
    assert str(cs.discovery.server_version()).startswith("v1.")
    assert cs.core_v1.namespaces().get("default").metadata.name == "default"
    assert cs.core_v1.services("default").get("kubernetes").spec.cluster_ip.startswith("10.0.0.")
    assert repr(plane) == f"<ControlPlane {plane.url}: running>"


def test_ete_02_who_asks_is_known_by_certificate_or_token(plane: ControlPlane) -> None:
    with_token = plane.config
    with_token.tls = dataclasses.replace(with_token.tls, cert_data=b"", key_data=b"")
    with_token.bearer_token = plane.token
    rolled = Config.from_kubeconfig(plane.kubeconfig().encode())

    for config in (plane.config, with_token, rolled):
        with Clientset(config) as cs:
            assert [each.metadata.name for each in cs.rbac_v1.cluster_roles().list()].count("cluster-admin") == 1


def test_ete_02_others_may_do_what_rbac_lets_them(plane: ControlPlane, cs: Clientset) -> None:
    cs.apply(READERS)

    for config in (
        plane.add_user("jane", "readers"),
        Config.from_kubeconfig(plane.kubeconfig("jane", "readers").encode()),
    ):
        with Clientset(config) as jane:
            eventually(partial(readable, jane), timeout=WAIT)
            with pytest.raises(errors.Forbidden, match='User "jane" cannot list resource "secrets"'):
                jane.core_v1.secrets("default").list()
    with Clientset(plane.add_user("joe")) as joe, pytest.raises(errors.Forbidden, match='User "joe" cannot'):
        joe.core_v1.config_maps("default").list()
    with Clientset(plane.config.anonymous()) as nobody, pytest.raises(errors.Forbidden, match="system:anonymous"):
        nobody.core_v1.secrets("default").list()


def test_ete_03_definitions_are_served_updated_and_taken_away(plane: ControlPlane, cs: Clientset) -> None:
    gadgets = cs.resource("gadgets.example.com", "default")
    gadgets.create({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "one"}, "size": 3})
    assert gadgets.get("one")["size"] == 3
    other: dict[str, Any] = {**CRD, "metadata": {"name": "gizmos.example.com"}}
    other["spec"] = {**CRD["spec"], "names": {"plural": "gizmos", "kind": "Gizmo"}}  # type: ignore[dict-item]

    install_crds(cs, CRD, other, timeout=WAIT)
    assert gadgets.get("one")["size"] == 3
    assert cs.resource("gizmos.example.com", "default").list().items == []

    uninstall_crds(cs, other)
    crds = cs.resource("customresourcedefinitions.apiextensions.k8s.io")
    eventually(lambda: [each.metadata.name for each in crds.list()] == ["gadgets.example.com"], timeout=WAIT)


def test_ete_06_nothing_looks_after_what_is_there(cs: Clientset) -> None:
    namespaces = cs.core_v1.namespaces()
    namespaces.create({"metadata": {"name": "gone"}})
    assert cs.core_v1.service_accounts("gone").list().items == []
    namespaces.delete("gone")

    assert namespaces.get("gone").status.phase == "Terminating"


def test_an_informer_follows_what_is_written(cs: Clientset) -> None:
    maps = cs.core_v1.config_maps("default")
    maps.create({"metadata": {"name": "before"}, "data": {"k": "1"}})
    told: list[tuple[str, str]] = []
    factory = SharedInformerFactory(cs, namespace="default")
    lister = factory.core_v1.config_maps.lister.namespace("default")
    factory.core_v1.config_maps.informer.add_event_handler(
        on_add=lambda obj, first: told.append(("add", obj.metadata.name)),
        on_update=lambda old, new: told.append((f"{old.data['k']}>{new.data['k']}", new.metadata.name)),
        on_delete=lambda obj: told.append(("delete", obj.metadata.name)),
    )

    with factory:
        assert factory.wait_for_cache_sync(timeout=WAIT)
        eventually(lambda: ("add", "before") in told, timeout=WAIT)
        maps.create({"metadata": {"name": "after"}, "data": {"k": "1"}})
        maps.patch("after", {"data": {"k": "2"}}, patch_type="merge")
        maps.delete("after")
        eventually(lambda: ("delete", "after") in told, timeout=WAIT)
        assert lister.get("before").data == {"k": "1"}

    assert [what for what, name in told if name == "after"] == ["add", "1>2", "delete"]


def test_ete_04_a_service_becomes_a_server_of_the_tests(cs: Clientset) -> None:
    with install_webhooks(cs, DEPLOYED) as local:
        server = WebhookServer(host=local.host, port=local.port, cert_dir=local.directory)
        manager = Manager(cs, webhook_server=server)

        @manager.validate(ConfigMap, path="/validate-maps")
        def check(obj: Any) -> None:
            if obj.metadata.name == "bad":
                raise ValueError("a bad name")

        maps = cs.core_v1.config_maps("default")

        def refused() -> None:
            with pytest.raises(errors.StatusError, match="a bad name"):
                maps.create({"metadata": {"name": "bad"}}, dry_run=True)

        with manager:
            eventually(refused, timeout=WAIT)  # the server hears of a configuration a moment later
            assert maps.create({"metadata": {"name": "good"}}).metadata.name == "good"

    assert cs.resource(HOOKS).list().items == []


def test_ete_05_it_ends_while_somebody_watches_and_nothing_stays(alone: Path) -> None:
    with ControlPlane(start_timeout=WAIT, stop_timeout=WAIT) as plane:
        [folder] = kept(alone)
        pids = processes_of(folder)
        assert len(pids) == 4
        assert (folder / "apiserver.key").stat().st_mode & 0o077 == 0
        with Clientset(plane.config) as cs, SharedInformerFactory(cs) as factory:
            factory.core_v1.config_maps.informer  # touched, so it starts
            factory.start()
            assert factory.wait_for_cache_sync(timeout=WAIT)
            plane.stop()

            assert processes_of(folder) == []
            assert not any(alive(pid) for pid in pids)
            assert kept(alone) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ete_05_the_programs_die_with_the_process_that_tests(alone: Path, number: signal.Signals) -> None:
    code = "import time\nfrom k8srt.testing import ControlPlane\n"
    code += f"plane = ControlPlane(start_timeout={WAIT}).start()\nprint('up', flush=True)\ntime.sleep(600)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        [folder] = kept(alone)
        pids = processes_of(folder)
        assert len(pids) == 4

        parent.send_signal(number)
        parent.wait(WAIT)

    eventually(lambda: not any(alive(pid) for pid in pids), timeout=WAIT)
    eventually(lambda: kept(alone) == [], timeout=WAIT)


def test_ete_01_a_port_that_was_taken_meanwhile_is_not_the_end(
    alone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from k8srt.testing import control_plane

    free_port = control_plane.free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], free_port(), taken.getsockname()[1]])
        monkeypatch.setattr(control_plane, "free_port", lambda: next(ports, 0) or free_port())

        with caplog.at_level("WARNING"), ControlPlane(start_timeout=WAIT, stop_timeout=WAIT) as plane:
            with Clientset(plane.config) as cs:
                assert cs.core_v1.namespaces().get("default").metadata.name == "default"
            assert len(kept(alone)) == 1

    assert "4 tries are left: etcd ended with" in caplog.text
    assert "3 tries are left: kube-apiserver ended with" in caplog.text
    assert caplog.text.count("address already in use") >= 2


def test_ete_01_what_a_program_wrote_is_in_the_error(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("k8srt.testing.control_plane.TRIES", 1)

    with pytest.raises(ControlPlaneFailed, match=r"(?s)kube-apiserver ended with 1 .*unknown flag: --no-such-flag"):
        ControlPlane(api_server_flags=["--no-such-flag"], start_timeout=WAIT).start()
    with pytest.raises(ControlPlaneFailed, match=r"(etcd|kube-apiserver) was not ready after 0\.01s"):
        ControlPlane(start_timeout=0.01).start()

    assert kept(alone) == []
    eventually(lambda: processes_of(alone) == [], timeout=WAIT)


def test_ete_01_the_output_may_be_seen(alone: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ControlPlane(attach_output=True, start_timeout=WAIT, stop_timeout=WAIT):
        pass

    captured = capfd.readouterr()
    assert "serving" in captured.out + captured.err
