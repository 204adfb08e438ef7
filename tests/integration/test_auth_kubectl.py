"""The same kubeconfig and the same credential program, used by kubectl and by us."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import CredentialsError
from k8srt.rest import Config, RESTClient
from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import User
from k8srt.tools.clientcmd import load_config
from tests.integration.plugins import V1, V1BETA1, Issuer, Plugin, written
from tests.integration.programs import Kubectl, binaries, number
from tests.integration.wire import Authority, Exchange, WireServer

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl, pytest.mark.timeout(120)]

EXTENSION = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x<y&é", "n": 1.5, "list": [None]}}


@pytest.fixture(scope="module", params=binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def binary(request: pytest.FixtureRequest) -> Path:
    if request.param is None:
        pytest.skip("there is no kubectl on the PATH")
    return Path(request.param)


@pytest.fixture(scope="module")
def api() -> Iterator[APIServer]:
    with APIServer(tls=True, tokens={"t1": User("jane", "", ("system:masters",))}, anonymous=False) as api:
        yield api


def cluster_of(api: APIServer, **more: Any) -> dict[str, Any]:
    tls = api.config.tls
    ca = tls.ca_data or Path(tls.ca_file).read_bytes()
    return {"server": api.url, "certificate-authority-data": base64.b64encode(ca).decode(), **more}


@pytest.mark.parametrize("version", [V1, V1BETA1])
def test_rest_56_both_tell_a_program_the_same(version: str, binary: Path, api: APIServer, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')", version)
    cluster = cluster_of(
        api, **{"tls-server-name": "localhost", "disable-compression": True, "extensions": [EXTENSION]}
    )
    clusters = [cluster, cluster_of(api)]
    for each in clusters:
        for asked in (True, False):
            path = written(tmp_path, plugin.kubeconfig(each, provideClusterInfo=asked, interactiveMode="IfAvailable"))

            theirs = Kubectl(binary, path, tmp_path, "default")("get", "--raw", "/api/v1/namespaces/default", stdin="")
            with RESTClient(Config.from_kubeconfig(path)) as client:
                ours = client.get().abs_path("/api/v1/namespaces/default").do().raw()

            assert json.loads(theirs) == json.loads(ours)
            first, second = plugin.told[-2:]
            assert json.loads(first) == json.loads(second)
            assert list(json.loads(first)["spec"]) == list(json.loads(second)["spec"])
    assert plugin.runs == 8


def test_kcfg_06_both_find_a_relative_command_beside_the_file(binary: Path, api: APIServer, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")
    path = written(tmp_path, plugin.kubeconfig(cluster_of(api), command="./plugin"))

    Kubectl(binary, path, tmp_path, "default")("get", "--raw", "/version", stdin="")
    with RESTClient(Config.from_kubeconfig(path)) as client:
        client.get().abs_path("/version").do()

    assert plugin.runs == 2


def test_rest_58_both_read_yaml(binary: Path, api: APIServer, tmp_path: Path) -> None:
    until = "expirationTimestamp: 2999-01-01T00:00:00Z"
    plugin = Plugin(tmp_path, f"print('kind: ExecCredential\\napiVersion: {V1}\\nstatus: {{token: t1, {until}}}')")
    path = written(tmp_path, plugin.kubeconfig(cluster_of(api)))

    Kubectl(binary, path, tmp_path, "default")("get", "--raw", "/version", stdin="")
    with RESTClient(Config.from_kubeconfig(path)) as client:
        client.get().abs_path("/version").do()


FAILURES = {
    "missing": (
        {"command": "no-such-program", "installHint": "get it"},
        "",
        "exec: executable no-such-program not found",
    ),
    "exit code": ({}, "sys.exit(3)", "exec: executable {path} failed with exit code 3"),
    "no status": (
        {},
        f"print(json.dumps(dict(kind='ExecCredential', apiVersion={V1!r})))",
        "didn't return a status field",
    ),
    "nothing": ({}, "answer()", "didn't return a token or cert/key pair"),
    "half": ({}, "answer(clientKeyData='k')", "returned only certificate or key, not both"),
    "no terminal": ({"interactiveMode": "Always"}, "answer(token='t1')", "standard input is not a terminal"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_rest_57_rest_58_rest_61_both_say_the_same_of_what_goes_wrong(
    case: str, binary: Path, api: APIServer, tmp_path: Path
) -> None:
    stanza, body, message = FAILURES[case]
    plugin = Plugin(tmp_path, body)
    path = written(tmp_path, plugin.kubeconfig(cluster_of(api), **stanza))
    expected = message.format(path=plugin.path)

    theirs = Kubectl(binary, path, tmp_path, "default").refused("get", "--raw", "/version", stdin="")
    with RESTClient(Config.from_kubeconfig(path)) as client, pytest.raises(CredentialsError) as caught:
        client.get().abs_path("/version").do()

    assert expected in theirs
    assert expected in str(caught.value)
    if case == "missing":
        assert "get it" in theirs
        assert "get it" in str(caught.value)


def test_rest_59_both_show_the_certificate_of_a_program(binary: Path, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    pair = authority.issue(common_name="jane")
    body = f"answer(clientCertificateData={pair.certificate.decode()!r}, clientKeyData={pair.key.decode()!r})"
    plugin = Plugin(tmp_path, body)
    with APIServer(tls=True, client_ca=str(tmp_path / "ca.pem"), anonymous=False) as api:
        path = written(tmp_path, plugin.kubeconfig(cluster_of(api)))

        theirs = Kubectl(binary, path, tmp_path, "default")("get", "--raw", "/version", stdin="")
        with RESTClient(Config.from_kubeconfig(path)) as client:
            ours = client.get().abs_path("/version").do().raw()

    assert json.loads(theirs) == json.loads(ours)
    assert plugin.runs == 2


@pytest.mark.parametrize("name", ["gcp", "azure"])
def test_rest_62_both_give_the_hint_for_what_is_retired(
    name: str, binary: Path, api: APIServer, tmp_path: Path
) -> None:
    config = Plugin(tmp_path, "").kubeconfig(cluster_of(api))
    settings = {"client-id": "c", "tenant-id": "t", "apiserver-id": "a"} if name == "azure" else {}
    config["users"][0]["user"] = {"auth-provider": {"name": name, "config": settings}}
    path = written(tmp_path, config)

    theirs = Kubectl(binary, path, tmp_path, "default").refused("get", "--raw", "/version", stdin="")
    with pytest.raises(Exception, match="auth plugin has been removed") as caught:
        RESTClient(Config.from_kubeconfig(path))

    hint = theirs[theirs.index("Please use") :].strip()
    assert hint in str(caught.value)


def test_rest_62_kcfg_39_each_goes_on_with_the_refresh_token_that_the_other_wrote(binary: Path, tmp_path: Path) -> None:
    authority, issuer, came = Authority(), Issuer(), []
    issuer.life = 9.0  # expired as soon as it is given, so that each use needs another one

    def respond(exchange: Exchange) -> None:
        came.append(exchange.headers.get("authorization", ""))
        exchange.reply(body={"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}})

    tls = authority.issue("127.0.0.1").server_context(tmp_path)
    ca = base64.b64encode(authority.certificate).decode()
    with WireServer(issuer, tls=tls) as provider, WireServer(respond, tls=tls) as api:
        issuer.url = provider.url
        config = Plugin(tmp_path, "").kubeconfig({"server": api.url, "certificate-authority-data": ca})
        settings = {"idp-issuer-url": issuer.url, "client-id": "k8s", "idp-certificate-authority-data": ca}
        provided = {"name": "oidc", "config": {**settings, "client-secret": "s", "refresh-token": "r0"}}
        config["users"][0]["user"] = {"auth-provider": provided}
        path = written(tmp_path, config)

        for _ in range(2):
            Kubectl(binary, path, tmp_path, "default")("get", "--raw", "/x", stdin="")
            with RESTClient(load_config(kubeconfig=str(path)).config) as client:
                client.get().abs_path("/x").do()

    used = [form["refresh_token"] for form in issuer.asked]
    assert len(used) >= 4  # more, where kubectl first asks for the version of the server
    assert used == [f"r{number}" for number in range(len(used))]
    assert came == [f"Bearer {token}" for token in issuer.given]
