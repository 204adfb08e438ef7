"""Certificates that a webhook server makes for itself, and the configurations it looks after."""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.admissionregistration.v1 import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    ServiceReference,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
    WebhookClientConfig,
)
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.controller.webhook import Target, WebhookServer
from k8srt.controller.webhook.registration import serve_defaulter, serve_validator
from k8srt.controller.webhook.selfsigned import Pairing, SelfSigned, put
from k8srt.controller.webhook.upkeep import Install, Upkeep
from k8srt.errors import ConfigError
from k8srt.testing import FakeClientset, FakeClock
from k8srt.util.threads import Stop

pytest.importorskip("cryptography")

from k8srt.controller.webhook.selfsigned import issue
from k8srt.util.certificates import names_in, split, validity_of

LIFE = timedelta(days=90)
SECRET = "system/hooks-cert"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(time=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def cs(clock: FakeClock) -> Iterator[FakeClientset]:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "system"}}
    with FakeClientset(namespace, clock=clock) as made:
        yield made


def self_signed(**options: Any) -> SelfSigned:
    return SelfSigned(SECRET, service="system/hooks", **options)


def hooks(kind: str = "Validating") -> Any:
    target = WebhookClientConfig(service=ServiceReference(namespace="system", name="hooks"))
    common: dict[str, Any] = {"client_config": target, "side_effects": "None", "admission_review_versions": ["v1"]}
    if kind == "Mutating":
        webhooks = [MutatingWebhook(name="a.b.c", **common)]
        return MutatingWebhookConfiguration(metadata=ObjectMeta(name="hooks"), webhooks=webhooks)
    several = [ValidatingWebhook(name=f"{letter}.b.c", **common) for letter in "ab"]
    return ValidatingWebhookConfiguration(metadata=ObjectMeta(name="hooks"), webhooks=several)


def validating(cs: FakeClientset) -> Any:
    return cs.admissionregistration_v1.validating_webhook_configurations()


def crd() -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    service = {"namespace": "system", "name": "hooks", "path": "/convert"}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": {"service": service}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "pumps.pumps.test"},
        "spec": {
            "group": "pumps.test",
            "scope": "Namespaced",
            "names": {"plural": "pumps", "singular": "pump", "kind": "Pump", "listKind": "PumpList"},
            "conversion": {"strategy": "Webhook", "webhook": webhook},
            "versions": [version],
        },
    }


# ---- the certificate


def test_whs_10_a_certificate_is_for_its_names_and_its_time() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    made = issue(["hooks.system.svc", "127.0.0.1"], now, LIFE)

    assert names_in(made.certificate) == {"hooks.system.svc", "127.0.0.1"}
    valid = validity_of(made.certificate)
    assert valid.begin == now - timedelta(hours=1)
    assert valid.end == validity_of(made.authority).end == now + LIFE
    assert valid.begin < valid.renewal < valid.end
    assert b"PRIVATE KEY" in made.key
    assert b"PRIVATE KEY" not in made.authority


def test_whs_10_a_certificate_stands_up_to_strict_checks(tmp_path: Path) -> None:
    made = issue(["localhost"], datetime.now(UTC), LIFE)
    put(Pairing(made.certificate, made.key, b""), tmp_path / "tls.crt", tmp_path / "tls.key")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    asking = ssl.create_default_context(cadata=made.authority.decode())
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(received, sent, server_hostname="localhost")
    server = serving.wrap_bio(sent, received, server_side=True)

    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()

    assert client.getpeercert()["subjectAltName"] == (("DNS", "localhost"),)  # type: ignore[index]


@pytest.mark.parametrize(
    ("secret", "options", "text"),
    [
        ("hooks", {"service": "a/b"}, "secret: namespace/name"),
        ("a/b", {}, "give the service, or names"),
        ("a/b", {"service": "b"}, "service: namespace/name"),
        ("a/b", {"names": ["x"], "lifetime": timedelta(0)}, "lifetime"),
    ],
)
def test_whs_10_wrong_names_are_told(secret: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SelfSigned(secret, **options)


def test_whs_10_whoever_comes_first_makes_it_and_replicas_share_it(cs: FakeClientset, clock: FakeClock) -> None:
    first = self_signed().ensure(cs, clock)
    second = self_signed().ensure(cs, clock)

    secret = cs.core_v1.secrets("system").get("hooks-cert")
    assert first == second == Pairing(secret.data["tls.crt"], secret.data["tls.key"], secret.data["ca.crt"])
    assert secret.type == "kubernetes.io/tls"
    assert names_in(first.certificate) >= {"hooks.system.svc", "hooks.system.svc.cluster.local"}


def test_whs_10_a_replica_that_was_slower_takes_what_is_there(cs: FakeClientset, clock: FakeClock) -> None:
    fast: list[Pairing] = []

    def another_is_faster(action: Any) -> None:
        if not fast:
            fast.append(Pairing(b"", b"", b""))  # its own requests come by here, too
            fast[0] = self_signed().ensure(cs, clock)

    cs.prepend_reactor("create", "secrets", another_is_faster)

    assert self_signed().ensure(cs, clock) == fast[0]


def test_whs_10_it_is_renewed_at_two_thirds_and_the_old_authority_stays_until_its_end(
    cs: FakeClientset, clock: FakeClock
) -> None:
    first = self_signed(lifetime=LIFE).ensure(cs, clock)
    third = LIFE.total_seconds() / 3

    clock.advance(1.9 * third)
    assert self_signed().ensure(cs, clock) == first

    clock.advance(0.2 * third)
    second = self_signed(lifetime=LIFE).ensure(cs, clock)
    assert second.certificate != first.certificate
    assert split(second.bundle)[1:] == split(first.bundle)

    clock.advance(2.1 * third)
    fourth = self_signed(lifetime=LIFE).ensure(cs, clock)
    assert split(fourth.bundle)[1:] == split(second.bundle)[:1]  # that of the first has ended


@pytest.mark.parametrize("odd", [{}, {"tls.crt": b"x", "tls.key": b"y", "ca.crt": b"z"}])
def test_whs_10_a_secret_with_something_else_is_filled(
    cs: FakeClientset, clock: FakeClock, odd: dict[str, bytes]
) -> None:
    meta = ObjectMeta(name="hooks-cert", namespace="system")
    cs.core_v1.secrets("system").create(Secret(metadata=meta, data={**odd, "more": b"kept"}))

    made = self_signed().ensure(cs, clock)

    data = cs.core_v1.secrets("system").get("hooks-cert").data
    assert data["tls.crt"] == made.certificate
    assert data["more"] == b"kept"
    assert len(split(made.bundle)) == 1


def test_whs_10_other_names_need_another_certificate(cs: FakeClientset, clock: FakeClock) -> None:
    self_signed().ensure(cs, clock)

    assert "10.0.0.1" in names_in(self_signed(names=["10.0.0.1"]).ensure(cs, clock).certificate)


def test_whs_10_the_bundle_is_written_where_it_is_needed(cs: FakeClientset) -> None:
    cs.load(hooks(), hooks("Mutating"), crd())
    signed = self_signed(configurations=["hooks", "not-there"], crds=["pumps.pumps.test", "not.there"])

    signed.publish(cs, b"BUNDLE")
    cs.clear_actions()
    signed.publish(cs, b"BUNDLE")

    assert [hook.client_config.ca_bundle for hook in validating(cs).get("hooks").webhooks] == [b"BUNDLE"] * 2
    mutating = cs.admissionregistration_v1.mutating_webhook_configurations().get("hooks")
    assert mutating.webhooks[0].client_config.ca_bundle == b"BUNDLE"
    definition = cs.apiextensions_v1.custom_resource_definitions().get("pumps.pumps.test")
    assert definition.spec.conversion.webhook.client_config.ca_bundle == b"BUNDLE"
    assert [action.verb for action in cs.actions if action.verb == "update"] == []


def test_whs_10_files_are_replaced_and_the_key_is_private(tmp_path: Path) -> None:
    for text in (b"1", b"2"):
        put(Pairing(b"crt" + text, b"key" + text, b""), tmp_path / "tls.crt", tmp_path / "tls.key")

    assert (tmp_path / "tls.crt").read_bytes() == b"crt2"
    assert (tmp_path / "tls.key").read_bytes() == b"key2"
    assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tls.crt", "tls.key"]


# ---- looking after


class Kept:
    """A server's upkeep, and what it did."""

    def __init__(self, cs: FakeClientset, clock: FakeClock, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.reloads: list[list[Any]] = []
        self.cs = cs
        self.server = WebhookServer(port=0)
        install, signed = options.get("install"), options.get("self_signed")
        files = (folder / "tls.crt", folder / "tls.key")
        self.upkeep = Upkeep(cs, clock, install, signed, files, self.server._configurations, self._reload)

    def _reload(self) -> None:
        found = validating(self.cs).list()
        self.reloads.append([hook.client_config.ca_bundle for each in found for hook in each.webhooks])


def test_whs_10_what_is_to_be_trusted_is_told_before_it_is_shown(
    cs: FakeClientset, clock: FakeClock, tmp_path: Path
) -> None:
    cs.load(hooks())
    kept = Kept(cs, clock, tmp_path, self_signed=self_signed(configurations=["hooks"]))

    assert kept.upkeep.certify(Stop())
    kept.upkeep.look()
    clock.advance(0.7 * LIFE.total_seconds())
    kept.upkeep.look()

    bundle = cs.core_v1.secrets("system").get("hooks-cert").data["ca.crt"]
    assert kept.reloads == [[bundle[bundle.index(b"END CERTIFICATE-----\n") + 21 :]] * 2, [bundle] * 2]
    assert (tmp_path / "tls.crt").read_bytes() == cs.core_v1.secrets("system").get("hooks-cert").data["tls.crt"]


def test_whs_10_configurations_that_come_later_are_found(cs: FakeClientset, clock: FakeClock, tmp_path: Path) -> None:
    kept = Kept(cs, clock, tmp_path, self_signed=self_signed(configurations=["hooks"]))
    kept.upkeep.certify(Stop())
    cs.load(hooks())

    kept.upkeep.look()

    assert validating(cs).get("hooks").webhooks[0].client_config.ca_bundle is not None


def test_whs_10_the_start_waits_for_the_api_server_but_not_for_rights(
    cs: FakeClientset, clock: FakeClock, tmp_path: Path, pool: Any
) -> None:
    answers: list[Exception | None] = [
        errors.TransportError("no route"),
        errors.ServiceUnavailable(Status(code=503, message="later")),
        None,
    ]

    def react(action: Any) -> None:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer

    cs.prepend_reactor("get", "secrets", react)
    kept = Kept(cs, clock, tmp_path, self_signed=self_signed())
    waiting = pool.submit(kept.upkeep.certify, Stop())
    for _ in range(2):
        clock.wait_for_sleepers(1)
        clock.advance(5.0)
    assert waiting.result(timeout=5.0) is True

    answers.append(errors.Forbidden(Status(code=403, reason="Forbidden", message="no")))
    with pytest.raises(errors.Forbidden):
        Kept(cs, clock, tmp_path, self_signed=self_signed()).upkeep.certify(Stop())

    answers.append(errors.TransportError("no route"))
    stop = Stop()
    stop.set()
    assert Kept(cs, clock, tmp_path, self_signed=self_signed()).upkeep.certify(stop) is False


def test_adm_11_installed_configurations_are_kept_and_removed_if_they_are_not_to_stay(
    cs: FakeClientset, clock: FakeClock, tmp_path: Path
) -> None:
    install = Install("mine", Target(service="system/hooks", ca_bundle=b"CA"), persistent=False)
    kept = Kept(cs, clock, tmp_path, install=install)
    serve_validator(kept.server, ConfigMap, lambda obj: None)
    stop = Stop()
    thread = threading.Thread(target=kept.upkeep.run, args=(stop,))
    thread.start()
    clock.wait_for_sleepers(1)
    first = validating(cs).get("mine")
    assert first.webhooks[0].client_config.ca_bundle == b"CA"

    validating(cs).delete("mine")
    serve_defaulter(kept.server, ConfigMap, lambda obj: None)
    clock.advance(60.0)
    clock.wait_for_sleepers(1)
    assert validating(cs).get("mine").metadata.uid != first.metadata.uid
    assert cs.admissionregistration_v1.mutating_webhook_configurations().get("mine").webhooks

    stop.set()
    thread.join(10.0)
    assert validating(cs).list().items == []
    assert cs.admissionregistration_v1.mutating_webhook_configurations().list().items == []


def test_adm_11_installed_configurations_stay_otherwise_and_unchanged_ones_are_not_written(
    cs: FakeClientset, clock: FakeClock, tmp_path: Path
) -> None:
    install = Install("mine", Target(service="system/hooks"))
    kept = Kept(cs, clock, tmp_path, install=install, self_signed=self_signed())
    serve_validator(kept.server, ConfigMap, lambda obj: None)
    kept.upkeep.certify(Stop())
    stop = Stop()
    stop.set()

    before = validating(cs).get("mine")
    kept.upkeep.run(stop)

    after = validating(cs).get("mine")
    bundle = cs.core_v1.secrets("system").get("hooks-cert").data["ca.crt"]
    assert after.metadata.resource_version == before.metadata.resource_version
    assert after.webhooks[0].client_config.ca_bundle == bundle


def test_adm_12_rules_that_endanger_a_cluster_are_not_installed(
    cs: FakeClientset, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(cs, clock, tmp_path, install=Install("mine", Target(service="system/hooks")))
    serve_validator(kept.server, ConfigMap, lambda obj: None, groups=("*",), name="a.b.c")

    with caplog.at_level(logging.ERROR):
        kept.upkeep.look()

    assert "for all kinds" in caplog.text
    assert validating(cs).list().items == []


def test_whs_10_without_clients_there_is_nothing_to_do_it_with() -> None:
    server = WebhookServer(port=0, self_signed=self_signed())

    with pytest.raises(ConfigError, match=r"bind\(clientset\)"):
        server.start(Stop())
    assert not server.cert_dir.exists()
