"""Auth providers against real servers: an issuer over HTTPS, token endpoints, commands; what is written back."""

from __future__ import annotations

import base64
import json
import logging
import stat
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError, CredentialsError, K8srtError, Stopped, Unauthorized
from k8srt.plugin import auth
from k8srt.plugin.auth import azure
from k8srt.rest import Config, RESTClient
from k8srt.tools import clientcmd
from k8srt.transport.auth_config import AuthProviderConfig
from k8srt.util.threads import Stop
from tests.integration.plugins import Issuer, jwt
from tests.integration.wire import Authority, Exchange, WireServer, tls_config

pytestmark = pytest.mark.embedded


class API:
    """A server that answers everybody, or nobody, and keeps which tokens came."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.status = 200

    def __call__(self, exchange: Exchange) -> None:
        self.came.append(exchange.headers.get("authorization", ""))
        exchange.reply(self.status, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def issuer(authority: Authority, tmp_path: Path) -> Iterator[Issuer]:
    issuer = Issuer()
    pair = authority.issue("127.0.0.1")
    with WireServer(issuer, tls=pair.server_context(tmp_path)) as server:
        issuer.url = server.url
        yield issuer


@pytest.fixture
def api() -> API:
    return API()


@pytest.fixture
def served(api: API, authority: Authority, tmp_path: Path) -> Iterator[WireServer]:
    with WireServer(api, tls=authority.issue("127.0.0.1").server_context(tmp_path)) as server:
        yield server


class Kept:
    """A persister that keeps what it gets, and may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.configs: list[dict[str, str]] = []
        self.failures = failures

    def persist(self, config: Mapping[str, str]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConfigError("the file is locked")
        self.configs.append(dict(config))


def oidc(issuer: Issuer, authority: Authority, **more: str) -> dict[str, str]:
    ca = base64.b64encode(authority.certificate).decode()
    settings = {"idp-issuer-url": issuer.url, "client-id": "k8s", "client-secret": "s&cret"}
    return {**settings, "idp-certificate-authority-data": ca, "refresh-token": "r0", **more}


def client(server: WireServer, authority: Authority, name: str, settings: Mapping[str, str], **more: Any) -> RESTClient:
    provider = AuthProviderConfig(name, dict(settings))
    return RESTClient(server.config(auth_provider=provider, tls=tls_config(authority), **more))


def get(client: RESTClient) -> None:
    client.get().abs_path("/x").do()


def written(folder: Path, server: WireServer, authority: Authority, provider: Mapping[str, Any]) -> Path:
    ca = base64.b64encode(authority.certificate).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.url, "certificate-authority-data": ca}}],
        "users": [{"name": "u", "user": {"auth-provider": provider}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


def settings_in(path: Path) -> dict[str, str]:
    provider = clientcmd.load_from_file(path).users["u"].auth_provider
    assert provider is not None
    return dict(provider.config)


def test_rest_62_kcfg_39_a_refresh_token_gives_an_id_token_which_is_written_back(
    issuer: Issuer, api: API, served: WireServer, authority: Authority, tmp_path: Path
) -> None:
    path = written(tmp_path, served, authority, {"name": "oidc", "config": oidc(issuer, authority)})
    config, _ = clientcmd.load_config(kubeconfig=str(path))

    with RESTClient(config) as it:
        get(it)
        get(it)

    assert api.came == [f"Bearer {issuer.given[0]}"] * 2
    assert issuer.asked == [{"grant_type": "refresh_token", "refresh_token": "r0"}]
    credentials = base64.b64encode(b"k8s:s%26cret").decode()
    assert issuer.headers[0]["authorization"] == f"Basic {credentials}"
    assert settings_in(path) == oidc(issuer, authority, **{"refresh-token": "r1", "id-token": issuer.given[0]})


def test_rest_62_who_loads_the_file_again_or_has_loaded_it_before_shares_the_tokens(
    issuer: Issuer, api: API, served: WireServer, authority: Authority, tmp_path: Path
) -> None:
    issuer.life = 9.0  # expired as soon as it is given
    path = written(tmp_path, served, authority, {"name": "oidc", "config": oidc(issuer, authority)})
    configs = [clientcmd.load_config(kubeconfig=str(path))[0] for _ in range(2)]

    with RESTClient(configs[0]) as first, RESTClient(configs[1]) as before:
        get(first)
        with RESTClient(clientcmd.load_config(kubeconfig=str(path))[0]) as again:
            for each in (before, again, first):
                get(each)

    assert [form["refresh_token"] for form in issuer.asked] == ["r0", "r1", "r2", "r3"]
    assert settings_in(path)["refresh-token"] == "r4"


def test_rest_62_two_users_of_one_client_stay_apart(
    issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    users = [jwt(3600, sub=name) for name in ("jane", "mary")]

    for token in users:
        with client(served, authority, "oidc", oidc(issuer, authority, **{"id-token": token})) as it:
            get(it)

    assert api.came == [f"Bearer {token}" for token in users]


@pytest.mark.parametrize(("life", "used"), [(3600.0, True), (9.0, False), (-10.0, False)])
def test_rest_62_an_id_token_is_used_until_ten_seconds_before_its_end(
    life: float, used: bool, issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    token = jwt(life)

    with client(served, authority, "oidc", oidc(issuer, authority, **{"id-token": token})) as it:
        get(it)

    assert api.came == [f"Bearer {token if used else issuer.given[0]}"]
    assert len(issuer.asked) == (0 if used else 1)


def test_rest_62_an_issuer_may_want_the_secret_in_the_form(
    issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    issuer.style = "form"

    with client(served, authority, "oidc", oidc(issuer, authority)) as it:
        get(it)

    assert issuer.asked[-1]["client_id"] == "k8s"
    assert issuer.asked[-1]["client_secret"] == "s&cret"
    assert api.came == [f"Bearer {issuer.given[0]}"]


def test_usr_11_many_threads_refresh_once(issuer: Issuer, api: API, served: WireServer, authority: Authority) -> None:
    with client(served, authority, "oidc", oidc(issuer, authority)) as it:
        threads = [threading.Thread(target=get, args=(it,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert len(issuer.asked) == 1
    assert api.came == [f"Bearer {issuer.given[0]}"] * 16


BAD = {
    "discovery 404": ({"discovery": (404, b"<html>")}, "failed to query metadata endpoint .* answered 404"),
    "discovery is html": ({"discovery": (200, b"<html>")}, "without a JSON object"),
    "no endpoint": ({"discovery": (200, {})}, "has no token_endpoint"),
    "refused": ({"good": set()}, "answered 400: invalid_grant: unknown refresh token"),
    "html": ({"answer": (200, b"<html>hunter2")}, "answered 200 without a JSON object"),
    "500": ({"answer": (500, b"hunter2")}, "answered 500"),
    "no id_token": ({"answer": (200, {"access_token": "hunter2"})}, "did not contain an id_token"),
    "no jwt": ({"answer": (200, {"id_token": "hunter2"})}, "not a valid JWT"),
}


@pytest.mark.parametrize("case", BAD)
def test_usr_12_what_an_issuer_does_wrong_is_one_error_and_nothing_is_sent(
    case: str, issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    changes, message = BAD[case]
    vars(issuer).update(changes)
    kept = Kept()

    with (
        client(served, authority, "oidc", oidc(issuer, authority), auth_persister=kept) as it,
        pytest.raises(CredentialsError, match=f"getting credentials: auth provider oidc: .*{message}") as caught,
    ):
        get(it)

    for secret in ("hunter2", "r0", "s&cret"):
        assert secret not in str(caught.value)
    assert (api.came, kept.configs) == ([], [])


def test_usr_12_an_issuer_that_cannot_be_reached_or_is_not_trusted(
    issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    other = base64.b64encode(Authority().certificate).decode()
    gone = {"idp-issuer-url": "https://127.0.0.1:1"}
    cases = [(gone, "connection refused"), ({"idp-certificate-authority-data": other}, "(?i)certificate")]

    for changes, message in cases:
        with (
            client(served, authority, "oidc", oidc(issuer, authority, **changes)) as it,
            pytest.raises(CredentialsError, match=message),
        ):
            get(it)

    assert api.came == []


def test_a_stop_ends_the_wait_for_an_issuer_that_is_silent(
    issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    stop, asked = Stop(), threading.Event()

    def respond(exchange: Exchange) -> None:
        asked.set()
        exchange.wait_for_hang_up()

    ended: list[int] = []
    with WireServer(respond) as silent:
        settings = oidc(issuer, authority, **{"idp-issuer-url": silent.url})
        with client(served, authority, "oidc", settings) as it:

            def work() -> None:
                with pytest.raises(Stopped):
                    it.get().abs_path("/x").do(stop=stop)
                ended.append(1)

            thread = threading.Thread(target=work)
            thread.start()
            assert asked.wait(10)
            stop.set()
            thread.join(10)

    assert ended == [1]
    assert api.came == []


def test_rest_62_settings_that_cannot_work_are_refused_when_the_client_is_made(
    issuer: Issuer, served: WireServer, authority: Authority
) -> None:
    cases = {"idp-issuer-url": "must provide idp-issuer-url", "client-id": "must provide client-id"}
    for name, message in cases.items():
        with pytest.raises(ConfigError, match=f"auth provider oidc: {message}"):
            client(served, authority, "oidc", oidc(issuer, authority, **{name: ""}))
    with pytest.raises(ConfigError, match="malformed base64"):
        client(served, authority, "oidc", oidc(issuer, authority, **{"idp-certificate-authority-data": "%"}))


def test_rest_62_without_a_refresh_token_the_end_is_the_end(
    issuer: Issuer, served: WireServer, authority: Authority
) -> None:
    with (
        client(served, authority, "oidc", oidc(issuer, authority, **{"refresh-token": ""})) as it,
        pytest.raises(CredentialsError, match="cannot refresh without refresh-token"),
    ):
        get(it)


def test_rest_62_a_file_that_is_locked_is_tried_again_and_tokens_are_never_lost(
    issuer: Issuer, api: API, served: WireServer, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    brief, lasting = Kept(failures=2), Kept(failures=1000)

    with client(served, authority, "oidc", oidc(issuer, authority), auth_persister=brief) as it:
        get(it)
    issuer.good = {"other"}
    lost = oidc(issuer, authority, **{"refresh-token": "other"})
    with client(served, authority, "oidc", lost, auth_persister=lasting) as it, caplog.at_level(logging.WARNING):
        get(it)

    assert [config["refresh-token"] for config in brief.configs] == ["r1"]
    assert lasting.configs == []
    assert api.came[-1] == f"Bearer {issuer.given[-1]}"
    assert "could not persist new tokens, going on with them: the file is locked" in caplog.text
    assert issuer.given[-1] not in caplog.text


def test_a_redirect_of_the_discovery_document_is_followed(
    issuer: Issuer, api: API, served: WireServer, authority: Authority
) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.reply(302, b"", Location=f"{issuer.url}{exchange.path.removeprefix('/old')}")

    with WireServer(respond) as old:
        moved = oidc(issuer, authority, **{"idp-issuer-url": f"{old.url}/old/"})
        with client(served, authority, "oidc", moved) as it:
            get(it)

    assert api.came == [f"Bearer {issuer.given[0]}"]


def command(folder: Path, body: str) -> Path:
    path = folder / "helper"
    path.write_text(f"#!{sys.executable} -SE\nimport json, sys\nopen({str(folder / 'runs')!r}, 'a').write('x')\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text()) if (folder / "runs").exists() else 0


def test_rest_62_gcp_runs_its_command_and_reads_what_it_prints(
    api: API, served: WireServer, authority: Authority, tmp_path: Path
) -> None:
    body = "print(json.dumps({'credential': {'t': sys.argv[1], 'until': '2999-01-02 03:04:05.678'}}))"
    settings = {
        "cmd-path": str(command(tmp_path, body)),
        "cmd-args": "tok --output=json",
        "token-key": "{.credential.t}",
        "expiry-key": "{.credential.until}",
        "time-fmt": "2006-01-02 15:04:05.999999999",
    }
    path = written(tmp_path, served, authority, {"name": "gcp", "config": settings})

    for _ in range(2):
        with RESTClient(clientcmd.load_config(kubeconfig=str(path))[0]) as it:
            get(it)
            get(it)

    assert api.came == ["Bearer tok"] * 4
    assert runs(tmp_path) == 1
    assert settings_in(path) == {**settings, "access-token": "tok", "expiry": "2999-01-02T03:04:05.678000Z"}


def test_rest_62_gcp_runs_its_command_again_after_a_401_and_each_time_when_nothing_says_how_long(
    api: API, served: WireServer, authority: Authority, tmp_path: Path
) -> None:
    until = "2999-01-01T00:00:00Z"
    helper = command(tmp_path, f"print(json.dumps(dict(access_token='tok', token_expiry={until!r})))")
    kept = Kept()
    with client(served, authority, "gcp", {"cmd-path": f"{helper} arg"}, auth_persister=kept) as it:
        get(it)
        api.status = 401
        with pytest.raises(Unauthorized):
            get(it)
        api.status = 200
        get(it)
        assert (runs(tmp_path), len(kept.configs)) == (2, 2)

    helper = command(tmp_path, "print(json.dumps(dict(access_token='tok', token_expiry='whenever')))")
    with client(served, authority, "gcp", {"cmd-path": f"{helper} other"}) as it:
        get(it)
        get(it)
    assert runs(tmp_path) == 4


GCP_BAD = {
    "exit code": ("sys.exit('no login')", "failed with exit code 1: no login"),
    "nonsense": ("print('hunter2: [')", "printed neither JSON nor YAML"),
    "a text": ("print('hunter2')", "token-key: nothing was found"),
    "no token": ("print('{\"hunter2\": 1}')", "token-key: nothing was found at '{.access_token}'"),
}


@pytest.mark.parametrize("case", GCP_BAD)
def test_usr_12_what_a_command_does_wrong_is_one_error(
    case: str, api: API, served: WireServer, authority: Authority, tmp_path: Path
) -> None:
    body, message = GCP_BAD[case]
    helper = command(tmp_path, body)

    with (
        client(served, authority, "gcp", {"cmd-path": str(helper)}) as it,
        pytest.raises(CredentialsError, match=message) as caught,
    ):
        get(it)

    assert "hunter2" not in str(caught.value)
    assert api.came == []


@pytest.mark.parametrize("life", [timedelta(hours=1), timedelta(hours=-1)])
def test_rest_62_gcp_uses_the_token_of_its_settings_and_then_tells_what_to_do(
    life: timedelta, api: API, served: WireServer, authority: Authority
) -> None:
    expiry = (datetime.now(UTC) + life).isoformat()

    with client(served, authority, "gcp", {"access-token": "tok", "expiry": expiry}) as it:
        if life > timedelta(0):
            get(it)
            assert api.came == ["Bearer tok"]
        else:
            with pytest.raises(CredentialsError, match="gke-gcloud-auth-plugin"):
                get(it)


AZURE = {"client-id": "c", "tenant-id": "t", "apiserver-id": "a", "environment": "Test", "refresh-token": "r0"}


@pytest.mark.parametrize(("mode", "query", "resource"), [("", "?api-version=1.0", "spn:a"), ("1", "", "a")])
def test_rest_62_azure_refreshes_its_token(
    mode: str,
    query: str,
    resource: str,
    api: API,
    served: WireServer,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def respond(exchange: Exchange) -> None:
        asked.append((exchange.path, dict(urllib.parse.parse_qsl(exchange.body.decode()))))
        exchange.reply(body={"access_token": f"a{len(asked)}", "refresh_token": "r1", "expires_in": "3600"})

    kept = Kept()
    with WireServer(respond) as directory:
        monkeypatch.setitem(azure.ENDPOINTS, "Test", f"{directory.url}/")
        with client(served, authority, "azure", {**AZURE, "config-mode": mode}, auth_persister=kept) as it:
            get(it)
            get(it)

    form = {"grant_type": "refresh_token", "client_id": "c", "refresh_token": "r0", "resource": resource}
    assert asked == [(f"/t/oauth2/token{query}", form)]
    assert api.came == ["Bearer a1"] * 2
    assert {name: kept.configs[0][name] for name in ("access-token", "refresh-token")} == {
        "access-token": "a1",
        "refresh-token": "r1",
    }
    assert int(kept.configs[0]["expires-on"]) > time.time()


def test_rest_62_azure_uses_the_token_of_its_settings_and_then_tells_what_to_do(
    api: API, served: WireServer, authority: Authority
) -> None:
    token = {**AZURE, "refresh-token": "", "access-token": "tok"}
    with client(served, authority, "azure", {**token, "expires-on": str(int(time.time()) + 60)}) as it:
        get(it)
    with (
        client(served, authority, "azure", {**token, "expires-on": "1"}) as it,
        pytest.raises(CredentialsError, match=r"https://github.com/Azure/kubelogin"),
    ):
        get(it)

    assert api.came == ["Bearer tok"]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("azure", {}, "client-id is empty"),
        ("azure", {**AZURE, "config-mode": "2"}, "'2' is not a valid mode"),
        ("gcp", {"cmd-path": " "}, "missing access token cmd"),
        ("gcp", {"cmd-path": "x", "scopes": "s"}, "scopes can only be used"),
        ("gcp", {"cmd-path": "x", "token-key": "{.a"}, "token-key"),
        ("gcp", {}, "gke-gcloud-auth-plugin"),
        ("openstack", {}, "client-keystone-auth"),
        ("nobody", {}, r"no auth provider found for name 'nobody' \(there are: .*azure, gcp, oidc, openstack"),
    ],
)
def test_rest_62_what_cannot_work_is_told_at_once(
    name: str, settings: dict[str, str], message: str, served: WireServer, authority: Authority
) -> None:
    with pytest.raises(ConfigError, match=message):
        client(served, authority, name, settings)


OS = {"OS_USERNAME": "jane", "OS_PASSWORD": "pw", "OS_PROJECT_NAME": "p", "OS_USER_DOMAIN_NAME": "d"}


@pytest.mark.parametrize(
    ("environ", "identity"),
    [
        (
            OS,
            {
                "methods": ["password"],
                "password": {"user": {"name": "jane", "password": "pw", "domain": {"name": "d"}}},
            },
        ),
        (
            {"OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
            {"methods": ["application_credential"], "application_credential": {"id": "i", "secret": "s"}},
        ),
    ],
)
def test_rest_62_openstack_asks_the_identity_service(
    environ: dict[str, str],
    identity: dict[str, Any],
    api: API,
    served: WireServer,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def respond(exchange: Exchange) -> None:
        asked.append((exchange.path, json.loads(exchange.body)["auth"]["identity"]))
        body = {"token": {"expires_at": "2999-01-01T00:00:00.000000Z"}}
        exchange.reply(201, body, X_Subject_Token="keystone")

    kept = Kept()
    with WireServer(respond) as keystone:
        for name, value in {**environ, "OS_AUTH_URL": f"{keystone.url}/v3/"}.items():
            monkeypatch.setenv(name, value)
        with client(served, authority, "openstack", {"n": str(len(environ))}, auth_persister=kept) as it:
            get(it)
            get(it)

    assert asked == [("/v3/auth/tokens", identity)]
    assert api.came == ["Bearer keystone"] * 2
    assert kept.configs[0]["token-id"] == "keystone"


class TestOnesOwn:
    """A provider that somebody writes."""

    def test_rest_62_it_is_found_by_its_name_and_asked_when_needed(
        self, api: API, served: WireServer, authority: Authority
    ) -> None:
        rejections: list[bool] = []

        class Own:
            def __init__(self, context: auth.ProviderContext) -> None:
                assert context.cluster == served.url
                assert "hunter2" not in repr(context)
                self.context = context

            def token(self, stop: Any, *, rejected: bool) -> auth.Token:
                rejections.append(rejected)
                return auth.Token(self.context.settings["secret"] + str(len(rejections)))

        auth.register("own", Own)
        with pytest.raises(ValueError, match="registered already"):
            auth.register("own", lambda context: Own(context))
        with pytest.raises(ValueError, match="registered already"):
            auth.register("oidc", Own)
        assert "own" in auth.registered()

        with client(served, authority, "own", {"secret": "hunter2"}) as it:
            get(it)
            get(it)
            api.status = 401
            with pytest.raises(Unauthorized):
                get(it)
            api.status = 200
            get(it)

        assert rejections == [False, True]
        assert api.came == [*["Bearer hunter21"] * 3, "Bearer hunter22"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [(ValueError("hunter2"), "ValueError"), ("", "gave an empty token"), ("a\nb", "line break")],
    )
    def test_what_it_does_wrong_is_an_error_with_its_name(
        self, given: Any, message: str, api: API, served: WireServer, authority: Authority
    ) -> None:
        class Wrong:
            def token(self, stop: Any, *, rejected: bool) -> auth.Token:
                if isinstance(given, Exception):
                    raise given
                return auth.Token(given)

        name = f"wrong {message}"
        auth.register(name, lambda context: Wrong())

        with (
            client(served, authority, name, {}) as it,
            pytest.raises(K8srtError, match=f"auth provider {name}: .*{message}") as caught,
        ):
            get(it)

        assert "hunter2" not in str(caught.value)
        assert api.came == []


def test_rest_05_nothing_shows_a_setting(issuer: Issuer, served: WireServer, authority: Authority) -> None:
    config = Config(auth_provider=AuthProviderConfig("oidc", oidc(issuer, authority)))

    with client(served, authority, "oidc", oidc(issuer, authority)) as it:
        shown = repr(it) + repr(it.transport) + repr(it.transport._authorizer) + repr(config)

    assert "r0" not in shown
    assert "s&cret" not in shown
    assert repr(auth.Token("hunter2")) == "Token('--- REDACTED ---', expires=None)"


def test_usr_29_the_provider_in_the_documentation_works(api: API, served: WireServer, authority: Authority) -> None:
    page = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text()
    [block] = [block for block in page.split("```python\n")[1:] if "auth.register(" in block]

    exec(block.partition("```")[0], {})
    with WireServer(lambda exchange: exchange.reply(body={"token": "from-vault"})) as vault:
        with client(served, authority, "vault", {"address": vault.url}) as it:
            get(it)

        assert [request.path for request in vault.requests] == ["/v1/kubernetes/token"]
    assert api.came == ["Bearer from-vault"]
