"""Tokens of service accounts: what they say, whom they make of a client, and when they hold no longer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.authentication.v1 import TokenReview
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, FakeClock
from tests.integration.apiserver import Client

pytestmark = pytest.mark.embedded

ISSUER = "https://kubernetes.default.svc.cluster.local"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Iterator[APIServer]:
    with APIServer(authorization_mode="RBAC", clock=clock) as server:
        yield server


@pytest.fixture
def cs(server: APIServer) -> Iterator[Clientset]:
    with Clientset(server.config) as cs:
        cs.core_v1.service_accounts("default").create({"metadata": {"name": "robot"}})
        yield cs


def said(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def issue(cs: Clientset, name: str = "robot", **options: Any) -> str:
    token: str = cs.core_v1.service_accounts("default").create_token(name, **options).status.token
    return token


def review(cs: Clientset, token: str, *audiences: str) -> Any:
    spec = {"token": token, "audiences": list(audiences)}
    return cs.authentication_v1.token_reviews().create(TokenReview.from_dict({"spec": spec})).status


def test_a_token_says_whose_it_is_and_how_long(cs: Clientset, clock: FakeClock) -> None:
    account = cs.core_v1.service_accounts("default").get("robot")

    claims = said(issue(cs, expiration_seconds=700))

    now = int(clock.time().timestamp())
    assert claims["sub"] == "system:serviceaccount:default:robot"
    assert (claims["iss"], claims["aud"]) == (ISSUER, [ISSUER])
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (now, now, now + 700)
    who = {"name": "robot", "uid": account.metadata.uid}
    assert claims["kubernetes.io"] == {"namespace": "default", "serviceaccount": who}


def test_a_token_is_accepted_as_its_account(cs: Clientset, server: APIServer) -> None:
    token = issue(cs)

    status = review(cs, token)

    assert status.authenticated
    assert status.audiences == [ISSUER]
    assert status.user.username == "system:serviceaccount:default:robot"
    assert status.user.groups == [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ]
    with Client(server, token) as client:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        who = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body).body["status"]["userInfo"]
        assert who["username"] == "system:serviceaccount:default:robot"
        assert client.get("/api/v1/namespaces/default/pods").status == 403


def test_a_token_ends_by_the_clock_of_the_server(cs: Clientset, server: APIServer, clock: FakeClock) -> None:
    token = issue(cs, expiration_seconds=600)

    clock.advance(timedelta(seconds=600 + 59).total_seconds())
    assert review(cs, token).authenticated  # clocks may differ by a minute
    clock.advance(2)

    status = review(cs, token)
    assert not status.authenticated
    assert "service account token has expired" in status.error
    with Client(server, token) as client:
        assert client.get("/api").status == 401


def test_a_token_for_others_is_none_for_this_server(cs: Clientset, server: APIServer) -> None:
    token = issue(cs, audiences=["vault", "shop"])

    assert review(cs, token, "shop", "bank").audiences == ["shop"]
    assert "invalid for the target audiences" in review(cs, token).error
    with Client(server, token) as client:
        assert client.get("/api").status == 401


def test_a_token_goes_with_its_account(cs: Clientset) -> None:
    accounts = cs.core_v1.service_accounts("default")
    token = issue(cs)

    accounts.delete("robot")
    assert 'serviceaccounts "robot" not found' in review(cs, token).error

    accounts.create({"metadata": {"name": "robot"}})
    assert "does not match claim" in review(cs, token).error


@pytest.mark.parametrize("kind", ["Pod", "Secret"])
def test_a_token_goes_with_what_it_is_bound_to(cs: Clientset, kind: str) -> None:
    pods, secrets = cs.core_v1.pods("default"), cs.core_v1.secrets("default")
    client: Any = pods if kind == "Pod" else secrets
    spec = {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}
    bound = client.create({"metadata": {"name": "b"}, **({"spec": spec} if kind == "Pod" else {})})

    token = issue(cs, bound_object_ref=bound)

    assert said(token)["kubernetes.io"][kind.lower()] == {"name": "b", "uid": bound.metadata.uid}
    status = review(cs, token)
    assert status.authenticated
    if kind == "Pod":
        assert status.user.extra["authentication.kubernetes.io/pod-name"] == ["b"]
    client.delete("b")
    assert "has been invalidated" in review(cs, token).error


def test_what_a_token_cannot_be_is_refused(cs: Clientset) -> None:
    pods = cs.core_v1.pods("default")
    mine = pods.create({"metadata": {"name": "mine"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})

    with pytest.raises(errors.Invalid, match="less than 10 minutes"):
        issue(cs, expiration_seconds=599)
    with pytest.raises(errors.BadRequest, match="different serviceaccount name"):
        issue(cs, bound_object_ref=mine)
    with pytest.raises(errors.NotFound):
        issue(cs, "nobody")
    with pytest.raises(errors.BadRequest, match="cannot bind token to object of type"):
        issue(cs, bound_object_ref={"kind": "ConfigMap", "apiVersion": "v1", "name": "c"})


def test_a_token_of_another_server_is_none_here(cs: Clientset) -> None:
    with APIServer() as other, Clientset(other.config) as theirs:
        theirs.core_v1.service_accounts("default").create({"metadata": {"name": "robot"}})
        token = issue(theirs)

    assert "invalid signature" in review(cs, token).error


def test_a_token_that_was_changed_is_none(cs: Clientset) -> None:
    head, body, signature = issue(cs).split(".")
    claims = {**said(f"{head}.{body}."), "sub": "system:serviceaccount:kube-system:admin"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()

    for token in (f"{head}.{forged}.{signature}", f"{unsigned}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA"):
        assert not review(cs, token).authenticated


def test_others_can_verify_a_token_by_the_published_key(cs: Clientset, server: APIServer) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    token = issue(cs)
    with Client(server, token) as client:  # service accounts may read it
        told = client.get("/.well-known/openid-configuration").body
        [key] = client.get("/openid/v1/jwks").body["keys"]

    assert told["issuer"] == ISSUER
    assert told["id_token_signing_alg_values_supported"] == [key["alg"]] == ["ES256"]
    x, y, signature = (
        base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in (key["x"], key["y"], token.split(".")[2])
    )
    public = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    ).public_key()
    parts = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public.verify(parts, token.rpartition(".")[0].encode(), ec.ECDSA(hashes.SHA256()))


def test_without_cryptography_tokens_are_signed_with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "cryptography" else find_spec(name, *rest)
    )
    with APIServer() as server, Clientset(server.config) as cs, Client(server) as client:
        cs.core_v1.service_accounts("default").create({"metadata": {"name": "robot"}})

        token = issue(cs)

        assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["alg"] == "HS256"
        assert review(cs, token).authenticated
        assert client.get("/openid/v1/jwks").status == 404


def test_a_secret_of_the_type_for_it_holds_a_token(cs: Clientset) -> None:
    kind = "kubernetes.io/service-account-token"
    named = {"kubernetes.io/service-account.name": "robot"}
    secrets = cs.core_v1.secrets("default")

    secrets.create({"metadata": {"name": "long", "annotations": named}, "type": kind})

    found = secrets.wait("long", lambda secret: bool(secret and (secret.data or {}).get("token")), timeout=10.0)
    token = found.data["token"].decode() if isinstance(found.data["token"], bytes) else found.data["token"]
    assert review(cs, token).user.username == "system:serviceaccount:default:robot"
    cs.core_v1.service_accounts("default").delete("robot")
    secrets.wait("long", "delete", timeout=10.0)
    assert not review(cs, token).authenticated
