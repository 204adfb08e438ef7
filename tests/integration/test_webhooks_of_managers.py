"""Webhooks of a manager, asked by the embedded server, and what clients and kubectl see of them."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.apimachinery.model import Struct, field, unset
from k8srt.apimachinery.object import Object
from k8srt.controller import Manager
from k8srt.controller.webhook import (
    AdmissionError,
    AdmissionRequest,
    ConversionError,
    Install,
    SelfSigned,
    Target,
    WebhookServer,
    admission_request,
    new_webhook_managed_by,
)
from k8srt.controller.webhook.registration import serve_defaulter
from k8srt.kubernetes import Clientset
from k8srt.testing import FakeClock, eventually
from k8srt.testing.choosing import Server
from tests.integration.programs import Kubectl, binaries
from tests.integration.wire import Authority, Pair

pytest.importorskip("cryptography")

LONG = 20.0


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    put(tmp_path, authority.issue("127.0.0.1"))
    return tmp_path


def put(folder: Path, pair: Pair) -> None:
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)


Serving = Callable[[Manager], Any]


@pytest.fixture
def serving(server: Server, cs: Clientset, folder: Path, authority: Authority) -> Iterator[Serving]:
    """Starts a manager and has the API server ask its webhooks."""
    started: list[Manager] = []

    def deny(obj: Secret) -> None:
        raise AdmissionError("asked")

    def is_asked() -> bool:
        for kind in ("validating", "mutating"):
            probe = Secret(metadata=ObjectMeta(name="probe", labels={"probe": kind}))
            try:
                cs.core_v1.secrets("default").create(probe, dry_run=True)
            except errors.Forbidden:
                continue
            return False
        return True

    def serve(manager: Manager) -> Manager:
        manager.validate(Secret, object_selector={"probe": "validating"})(deny)
        manager.mutate(Secret, object_selector={"probe": "mutating"})(deny)
        manager.start()
        started.append(manager)
        hooks = manager.webhook_server
        url = f"https://127.0.0.1:{hooks.port}"
        for configuration in hooks.webhook_configurations("hooks", url=url, ca_bundle=authority.certificate):
            cs.apply(configuration)
        eventually(is_asked)
        return manager

    yield serve
    for manager in started:
        manager.stop()


@pytest.fixture
def manager(server: Server, folder: Path) -> Manager:
    return Manager(server.config, webhook_server=WebhookServer(port=0, host="127.0.0.1", cert_dir=folder))


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def test_adm_05_a_write_that_is_denied_says_why(
    manager: Manager, cs: Clientset, serving: Serving, namespace: str
) -> None:
    @manager.validate(ConfigMap, operations=["CREATE", "UPDATE", "DELETE"])
    def check(obj: ConfigMap, old: ConfigMap | None) -> list[str]:
        request = admission_request()
        assert request is not None
        if request.operation == "DELETE" and (obj.data or {}).get("keep"):
            raise errors.Conflict(Status(code=409, reason="Conflict", message=f"{obj.metadata.name} is kept"))
        if old is not None and obj.data != old.data and (old.data or {}).get("fixed"):
            raise AdmissionError("it is fixed", code=422, reason="Invalid")
        return []

    serving(manager)
    maps = cs.core_v1.config_maps(namespace)
    maps.create(config_map("a", keep="yes", fixed="yes"))

    with pytest.raises(
        errors.Invalid, match=r'"validation\.configmap\.v1\.core\.k8s\.io" denied the request: it is fi'
    ):
        maps.patch("a", {"data": {"more": "x"}}, patch_type="merge")
    with pytest.raises(errors.Conflict, match="a is kept"):
        maps.delete("a")
    assert maps.get("a").data == {"keep": "yes", "fixed": "yes"}


def test_adm_04_defaults_are_there_and_warnings_are_shown(
    manager: Manager, cs: Clientset, serving: Serving, caplog: pytest.LogCaptureFixture, namespace: str
) -> None:
    @manager.mutate(ConfigMap)
    def default(obj: ConfigMap) -> None:
        obj.data = {"color": "green", **(obj.data or {})}

    @manager.validate(ConfigMap)
    def warn(obj: ConfigMap) -> str | None:
        return "red is going away" if obj.data["color"] == "red" else None

    serving(manager)
    maps = cs.core_v1.config_maps(namespace)

    assert maps.create(config_map("plain")).data == {"color": "green"}
    assert maps.create(config_map("own", color="red", size="1")).data == {"color": "red", "size": "1"}
    assert "red is going away" in caplog.text


def test_adm_06_dry_runs_are_told(manager: Manager, cs: Clientset, serving: Serving, namespace: str) -> None:
    seen: list[AdmissionRequest | None] = []

    @manager.validate(ConfigMap, side_effects="NoneOnDryRun")
    def note(obj: ConfigMap) -> None:
        seen.append(admission_request())

    serving(manager)
    cs.core_v1.config_maps(namespace).create(config_map("a"), dry_run=True)
    cs.core_v1.config_maps(namespace).create(config_map("a"))

    assert [request is not None and request.dry_run for request in seen] == [True, False]
    assert seen[0] is not None
    assert seen[0].user.username


def test_adm_03_a_broken_webhook_refuses_and_one_that_drops_connections_leaves_it_to_the_policy(
    manager: Manager, cs: Clientset, serving: Serving, namespace: str
) -> None:
    def broken(obj: ConfigMap) -> None:
        raise RuntimeError("broken")

    only = {"object_selector": {"policy": "ignore"}, "failure_policy": "Ignore"}
    manager.validate(ConfigMap, path="/told", object_selector={"policy": "told"}, name="a.told.io")(broken)
    manager.validate(ConfigMap, path="/ignored", recover_panic=False, name="b.ignored.io", **only)(broken)
    serving(manager)

    told, ignored = config_map("a"), config_map("b")
    told.metadata.labels, ignored.metadata.labels = {"policy": "told"}, {"policy": "ignore"}

    with pytest.raises(errors.InternalError, match=r"panic: broken \[recovered\]"):
        cs.core_v1.config_maps(namespace).create(told)
    assert cs.core_v1.config_maps(namespace).create(ignored).metadata.name == "b"


def test_adm_11_selectors_keep_webhooks_from_what_does_not_concern_them(
    manager: Manager, cs: Clientset, serving: Serving, namespace: str
) -> None:
    def deny(obj: ConfigMap) -> None:
        raise AdmissionError("never")

    manager.validate(ConfigMap, object_selector={"app": "web"})(deny)
    serving(manager)
    concerned = config_map("b")
    concerned.metadata.labels = {"app": "web"}

    cs.core_v1.config_maps(namespace).create(config_map("a"))
    with pytest.raises(errors.Forbidden, match="never"):
        cs.core_v1.config_maps(namespace).create(concerned)


@pytest.mark.embedded
def test_crt_04_certificates_change_while_the_api_server_asks(
    server: Server, cs: Clientset, folder: Path, authority: Authority, serving: Serving, namespace: str
) -> None:
    clock = FakeClock()
    hooks = WebhookServer(port=0, host="127.0.0.1", cert_dir=folder, clock=clock)
    manager = Manager(server.config, webhook_server=hooks)
    served: list[str] = []

    @manager.validate(ConfigMap)
    def note(obj: ConfigMap) -> None:
        served.append(str(obj.metadata.name))

    serving(manager)
    maps = cs.core_v1.config_maps(namespace)
    failed: list[Exception] = []
    enough = threading.Event()

    def write() -> None:
        for number in range(1000):
            try:
                maps.create(config_map(f"m-{number}"))
            except Exception as err:  # noqa: BLE001 - the test looks at it
                failed.append(err)
            if enough.is_set():
                return

    writer = threading.Thread(target=write, name="writer")
    writer.start()
    try:
        for _ in range(5):
            before = hooks.certificates.current
            put(folder, authority.issue("127.0.0.1"))
            clock.wait_for_sleepers(1)
            clock.advance(10.0)
            clock.wait_for_sleepers(1)
            assert hooks.certificates.current != before
            server.cluster.calls.close()  # the next request has a handshake of its own
    finally:
        enough.set()
        writer.join(LONG)

    assert failed == []
    assert served


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def test_whs_10_a_server_makes_its_own_certificate_and_has_itself_asked(
    server: Server, cs: Clientset, namespace: str
) -> None:
    port = free_port()
    signed = SelfSigned("default/hooks-cert", names=["127.0.0.1"])
    install = Install("own", Target(url=f"https://127.0.0.1:{port}"), persistent=False)
    clock = FakeClock(time=datetime.now(UTC))
    hooks = WebhookServer(port=port, host="127.0.0.1", self_signed=signed, install=install, clock=clock)
    manager = Manager(server.config, webhook_server=hooks)

    @manager.validate(ConfigMap)
    def deny(obj: ConfigMap) -> None:
        raise AdmissionError("asked")

    def is_asked() -> bool:
        try:
            cs.core_v1.config_maps(namespace).create(config_map("a"), dry_run=True)
        except errors.Forbidden as err:
            return "asked" in str(err)
        return False

    with manager:
        eventually(is_asked)
        first = hooks.certificates.current
        cs.core_v1.secrets("default").delete("hooks-cert")  # so that there has to be another
        clock.wait_for_sleepers(2)
        clock.advance(60.0)
        clock.wait_for_sleepers(2)
        assert hooks.certificates.current != first
        eventually(is_asked)

    eventually(lambda: cs.core_v1.config_maps(namespace).create(config_map("a")))
    assert not hooks.cert_dir.exists()


# ---- conversion


class PumpSpecV1(Struct):
    host: str = field(required=True)


class PumpV1(Object, gvk="pumps.test/v1/Pump", resource="pumps"):
    metadata: ObjectMeta = unset
    spec: PumpSpecV1 = unset


class PumpSpecV2(Struct):
    hosts: list[str] = field(required=True)


class PumpV2(Object, gvk="pumps.test/v2/Pump", resource="pumps"):
    metadata: ObjectMeta = unset
    spec: PumpSpecV2 = unset


def definition(url: str, authority: Authority) -> dict[str, Any]:
    def version(name: str, stored: bool) -> dict[str, Any]:
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        return {"name": name, "served": True, "storage": stored, "schema": schema}

    client = {"url": f"{url}/convert", "caBundle": base64.b64encode(authority.certificate).decode()}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": client}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "pumps.pumps.test"},
        "spec": {
            "group": "pumps.test",
            "scope": "Namespaced",
            "names": {"plural": "pumps", "kind": "Pump"},
            "conversion": {"strategy": "Webhook", "webhook": webhook},
            "versions": [version("v1", False), version("v2", True)],
        },
    }


def test_cnv_02_custom_resources_are_there_in_all_versions(
    manager: Manager, cs: Clientset, serving: Serving, authority: Authority, namespace: str
) -> None:
    @manager.convert(PumpV1)
    def convert(src: Any, dst: Any) -> None:
        if isinstance(dst, PumpV2):
            if not src.spec.host:
                raise ConversionError("a pump has a host")
            dst.spec = PumpSpecV2(hosts=[src.spec.host])
        else:
            dst.spec = PumpSpecV1(host=src.spec.hosts[0])

    serving(manager)
    cs.apply(definition(f"https://127.0.0.1:{manager.webhook_server.port}", authority))
    ones, twos = cs.resource(PumpV1, namespace), cs.resource(PumpV2, namespace)

    created = ones.create(PumpV1(metadata=ObjectMeta(name="a", labels={"l": "1"}), spec=PumpSpecV1(host="x")))
    found = twos.get("a")

    assert found.spec.hosts == ["x"]
    assert (found.metadata.uid, found.metadata.labels) == (created.metadata.uid, {"l": "1"})
    assert [pump.spec.host for pump in ones.list()] == ["x"]
    with pytest.raises(errors.InternalError, match="a pump has a host"):
        ones.create(PumpV1(metadata=ObjectMeta(name="b"), spec=PumpSpecV1(host="")))


# ---- a program

PROGRAM = """
import sys, threading
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.controller.webhook import WebhookServer
from k8srt.tools.clientcmd import load_config

kubeconfig, folder, port = sys.argv[1:]
hooks = WebhookServer(port=int(port), host="127.0.0.1", cert_dir=folder)
manager = Manager(load_config(kubeconfig).config, webhook_server=hooks)

told = threading.Event()

@manager.mutate(ConfigMap)
def slow(obj):
    print("asked", flush=True)
    told.wait(20.0)
    obj.data = {"answered": "yes"}

def until_told(stop):
    stop.wait()
    print("stopping", flush=True)
    told.set()

manager.add(until_told)
hooks.ready.on_set(lambda: print("ready", flush=True))
manager.run()
print("ended", flush=True)
"""


def test_whs_05_a_program_that_is_told_to_end_answers_what_it_was_asked(
    cs: Clientset, namespace: str, kubeconfig: Path, folder: Path, authority: Authority, tmp_path: Path, pool: Any
) -> None:
    program, port = tmp_path / "program.py", free_port()
    program.write_text(PROGRAM)
    serving = WebhookServer(port=-1)
    serve_defaulter(serving, ConfigMap, lambda obj: None)
    url = f"https://127.0.0.1:{port}"
    for configuration in serving.webhook_configurations("hooks", url=url, ca_bundle=authority.certificate):
        cs.apply(configuration)
    command = [sys.executable, str(program), str(kubeconfig), str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        written = pool.submit(cs.core_v1.config_maps(namespace).create, config_map("a"))
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(LONG) == 0

    assert rest == "stopping\nended\n"
    assert written.result(timeout=LONG).data == {"answered": "yes"}


# ---- kubectl


class Limits:
    """At most three entries, and no more of them later."""

    def default(self, obj: ConfigMap) -> None:
        obj.metadata.labels = {"checked": "yes", **(obj.metadata.labels or {})}

    def validate_create(self, obj: ConfigMap) -> str | None:
        return self._check(obj)

    def validate_update(self, old: ConfigMap, new: ConfigMap) -> str | None:
        if len(new.data or {}) > len(old.data or {}):
            raise AdmissionError("nothing may be added")
        return self._check(new)

    def validate_delete(self, obj: ConfigMap) -> None:
        raise AdmissionError(f"{obj.metadata.name} stays")

    def _check(self, obj: ConfigMap) -> str | None:
        if len(obj.data or {}) > 3:
            raise AdmissionError("too many entries")
        return "three is the limit" if len(obj.data or {}) == 3 else None


@pytest.mark.kubectl
def test_adm_09_kubectl_sees_defaults_denials_and_warnings(
    manager: Manager, server: Server, serving: Serving, tmp_path: Path, namespace: str
) -> None:
    if not binaries():
        pytest.skip("there is no kubectl on the PATH")
    limits = Limits()
    new_webhook_managed_by(manager, ConfigMap).with_defaulter(limits).with_validator(limits).complete()
    serving(manager)
    (tmp_path / "kubeconfig").write_text(server.kubeconfig())
    kubectl = Kubectl(binaries()[-1], tmp_path / "kubeconfig", tmp_path, namespace)

    created = kubectl.run("create", "configmap", "a", "--from-literal=a=1", "--from-literal=b=2", "--from-literal=c=3")
    refused = kubectl.refused("create", "configmap", "b", *(f"--from-literal=k{number}=x" for number in range(4)))
    more = kubectl.refused("patch", "configmap", "a", "--type=merge", "-p", '{"data": {"d": "4"}}')
    deleted = kubectl.refused("delete", "configmap", "a")
    tried = kubectl.run("create", "configmap", "c", "--from-literal=a=1", "--dry-run=server", "-o", "yaml")

    assert created.stdout == "configmap/a created\n"
    assert created.stderr == "Warning: three is the limit\n"
    assert kubectl("get", "configmap", "a", "-o", "jsonpath={.metadata.labels.checked}") == "yes"
    why = 'admission webhook "validation.configmap.v1.core.k8s.io" denied the request: '
    assert f"{why}too many entries" in refused
    assert f"{why}nothing may be added" in more
    assert f"{why}a stays" in deleted
    assert "checked: " in tried.stdout
