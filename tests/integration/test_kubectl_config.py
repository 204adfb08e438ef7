"""`kubectl config` and clientcmd read the same files alike, and write them alike.

`view` is compared for sets of merged files, raw, minified and flattened; each change is made by both, to copies of the
same files. Where there is no kubectl, the tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8srt.tools import clientcmd
from k8srt.tools.clientcmd import AuthInfo, Cluster, Context, ExecConfig, KubeConfig, PathOptions
from tests.integration.programs import LIMIT

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl]

CERTIFICATE = """
apiVersion: v1
kind: Config
current-context: a
clusters:
- name: a
  cluster:
    server: https://a:6443
    certificate-authority: pki/ca.crt
    tls-server-name: kube
    extensions: [{name: mini, extension: {version: v1, flag: yes, octal: 010, big: 1e3, day: 2020-01-01, none: null}}]
users:
- name: a
  user:
    {client-certificate: me.crt, client-key: pki/me.key, as: jane, as-uid: "7", as-groups: [x], as-user-extra: {k: [v]}}
contexts:
- {name: a, context: {cluster: a, user: a, namespace: web, extensions: [{name: e, extension: text}]}}
"""
TOKENS = """
preferences: {colors: true, extensions: [{name: p, extension: {q: 1}}]}
extensions: [{name: top, extension: [1, 2.5]}]
clusters:
- {name: b, cluster: {server: "http://b", proxy-url: "socks5://p:1", disable-compression: true}}
- {name: a, cluster: {server: https://shadowed, insecure-skip-tls-verify: true}}
users:
- {name: b, user: {token: "1e5", tokenFile: token, client-certificate-data: Q0VSVA==, client-key-data: S0VZ}}
- {name: a, user: {username: shadowed}}
contexts:
- {name: b, context: {cluster: b, user: b}}
current-context: b
"""
PLUGINS = """
preferences: {extensions: [{name: p, extension: shadowed}, {name: r, extension: 2}]}
extensions: [{name: top, extension: shadowed}, {name: second, extension: {a: b}}]
users:
- name: exec
  user:
    exec:
      command: ./bin/login
      args: [a, "1"]
      env: [{name: A, value: b}]
      apiVersion: client.authentication.k8s.io/v1beta1
      provideClusterInfo: true
      installHint: get it
- {name: strict, user: {exec: {command: login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}}
- {name: oidc, user: {auth-provider: {name: oidc, config: {client-id: x, id-token: secret}}}}
- {name: basic, user: {username: me, password: "yes"}}
contexts:
- {name: "010", context: {cluster: a, user: exec}}
- {name: dangling, context: {cluster: nope, user: nope}}
"""
JSON = '{"kind": "Config", "apiVersion": "v1", "current-context": "b", "contexts": [{"name": "b", "context": {}}]}'
ANCHORS = """
clusters:
- name: &name anchored
  cluster: &cluster {server: https://anchored}
- {name: merged, cluster: {<<: *cluster, tls-server-name: *name}}
"""
FILES = {
    "certificate": CERTIFICATE,
    "tokens": TOKENS,
    "plugins": PLUGINS,
    "json": JSON,
    "anchors": ANCHORS,
    "empty": "",
    "comment": "# nothing\n",
    "folder/certificate": CERTIFICATE.replace("name: a\n", "name: z\n"),
}
SETS = [
    ["certificate"],
    ["tokens"],
    ["certificate", "tokens", "plugins"],
    ["plugins", "tokens", "certificate"],
    ["missing", "tokens", "empty", "certificate", "tokens"],
    ["json", "tokens"],
    ["anchors", "comment", "folder/certificate", "certificate"],
    ["empty"],
]
VIEWS = [[], ["--raw"], ["--flatten"], ["--minify"], ["--minify", "--flatten"], ["--minify", "--raw", "--context=b"]]


def every() -> list[Path]:
    """Each kubectl of the machine, the oldest first."""
    usual = shutil.which("kubectl")
    if usual is None:
        return []
    found = Path(usual).resolve().parent.glob("kubectl.1.[0-9]*")
    return sorted(found, key=lambda path: int(path.suffix[1:])) or [Path(usual)]


@pytest.fixture(scope="module", params=[*every()[:1], *every()[1:][-1:]] or [None], ids=lambda path: path and path.name)
def kubectl(request: pytest.FixtureRequest) -> Path:
    if request.param is None:
        pytest.skip("there is no kubectl on the PATH")
    return request.param


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files, and what they name."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("pki/ca.crt", "pki/me.key", "me.crt", "token"):
        for parent in (tmp_path, tmp_path / "folder"):
            (parent / name).parent.mkdir(exist_ok=True)
            (parent / name).write_text(f"{name} of {parent.name}")
    return tmp_path


def chain(folder: Path, names: list[str]) -> dict[str, str]:
    joined = os.pathsep.join(str(folder / name) for name in names)
    return {"KUBECONFIG": joined, "HOME": str(folder / "home"), "PATH": os.environ["PATH"]}


def run(kubectl: Path, environ: dict[str, str], *words: str) -> tuple[str, str]:
    """What it prints, and why it failed if it did."""
    command = [str(kubectl), "config", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT, check=False)
    return (done.stdout, "") if done.returncode == 0 else ("", done.stderr)


def view(kubectl: Path, environ: dict[str, str], *words: str) -> Any:
    printed, error = run(kubectl, environ, "view", "-o", "json", *words)
    return error or pruned(json.loads(printed))


def ours(environ: dict[str, str], words: list[str]) -> Any:
    """The same view, by clientcmd."""
    options = {word.partition("=")[0]: word.partition("=")[2] for word in words}
    try:
        config = PathOptions(environ=environ).load()
        if "--minify" in options:
            config = clientcmd.minify_config(config, options.get("--context", ""))
        if "--flatten" in options:
            config = clientcmd.flatten_config(config)
        elif "--raw" not in options:
            config = clientcmd.shorten_config(config)
    except clientcmd.InvalidConfig as err:
        return f"error: {err.problems[0]}\n"
    return pruned(clientcmd.to_dict(config))


def pruned(value: Any) -> Any:
    """Without what is empty, and lists of named things in the order of their names: they are mappings."""
    if isinstance(value, dict):
        return {key: each for key, raw in value.items() if (each := pruned(raw)) not in (None, "", [], {}, False)}
    if isinstance(value, list):
        items = [pruned(each) for each in value]
        named = all(isinstance(each, dict) and "name" in each for each in items)
        return sorted(items, key=lambda each: each["name"]) if named else items
    return value


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_kcfg_04_to_07_and_40_what_is_seen_of_merged_files(kubectl: Path, folder: Path, names: list[str]) -> None:
    environ = chain(folder, names)

    for words in VIEWS:
        assert ours(environ, words) == view(kubectl, environ, *words), words


def test_every_version_sees_the_same(folder: Path) -> None:
    environ = chain(folder, ["certificate", "tokens", "plugins"])
    found = every()
    if not found:
        pytest.skip("there is no kubectl on the PATH")

    for words in (["--raw"], ["--minify", "--flatten"]):
        expected = ours(environ, words)
        assert [view(each, environ, *words) for each in found] == [expected] * len(found)


def _set_context(config: KubeConfig) -> None:
    config.contexts["new"] = Context(cluster="b", user="basic", namespace="n")


def _change_context(config: KubeConfig) -> None:
    config.contexts["b"].namespace = "changed"


def _set_cluster(config: KubeConfig) -> None:
    config.clusters["new"] = Cluster(server="https://new", insecure_skip_tls_verify=True, tls_server_name="n")


def _set_credentials(config: KubeConfig) -> None:
    config.users["new"] = AuthInfo(token="010", username="me")


def _set_exec(config: KubeConfig) -> None:
    config.users["new"] = AuthInfo(
        exec=ExecConfig(
            command="login",
            args=["a", "b"],
            env=[("K", "v")],
            api_version="client.authentication.k8s.io/v1beta1",
            interactive_mode="IfAvailable",
        )
    )


def _rename_context(config: KubeConfig) -> None:
    config.contexts["renamed"] = config.contexts.pop("b")
    config.current_context = "renamed"


CHANGES: dict[str, tuple[list[list[str]], Callable[[KubeConfig], None]]] = {
    "set-context": ([["set-context", "new", "--cluster=b", "--user=basic", "--namespace=n"]], _set_context),
    "change-context": ([["set-context", "b", "--namespace=changed"]], _change_context),
    "use-context": ([["use-context", "010"]], lambda config: setattr(config, "current_context", "010")),
    "unset-context": ([["unset", "current-context"]], lambda config: setattr(config, "current_context", "")),
    "rename-context": ([["rename-context", "b", "renamed"]], _rename_context),
    "delete-context": ([["delete-context", "dangling"]], lambda config: config.contexts.pop("dangling")),
    "set-cluster": (
        [["set-cluster", "new", "--server=https://new", "--insecure-skip-tls-verify", "--tls-server-name=n"]],
        _set_cluster,
    ),
    "delete-cluster": ([["delete-cluster", "b"]], lambda config: config.clusters.pop("b")),
    "set-credentials": (
        [["set-credentials", "new", "--token=010"], ["set", "users.new.username", "me"]],
        _set_credentials,
    ),
    "set-exec": (
        [
            [
                *("set-credentials", "new", "--exec-command=login", "--exec-arg=a", "--exec-arg=b", "--exec-env=K=v"),
                "--exec-api-version=client.authentication.k8s.io/v1beta1",
            ]
        ],
        _set_exec,
    ),
    "delete-user": ([["delete-user", "basic"]], lambda config: config.users.pop("basic")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_kcfg_34_to_36_both_write_the_same(kubectl: Path, folder: Path, name: str) -> None:
    commands, change = CHANGES[name]
    names = ["tokens", "plugins", "missing"]
    theirs = shutil.copytree(folder, folder.parent / f"{folder.name}-theirs")

    for command in commands:
        printed, error = run(kubectl, chain(theirs, names), *command)
        assert (bool(printed), error) == (True, "")
    clientcmd.modify(PathOptions(environ=chain(folder, names)), change)

    for each in names:
        assert contents(folder / each) == contents(theirs / each)
    assert ours(chain(folder, names), ["--raw"]) == view(kubectl, chain(folder, names), "--raw")
    shutil.rmtree(theirs)


def contents(path: Path) -> Any:
    return pruned(clientcmd.to_dict(clientcmd.load(path.read_bytes()))) if path.exists() else None


@pytest.mark.parametrize("name", ["certificate", "plugins"])
def test_kcfg_38_paths_are_written_alike(kubectl: Path, folder: Path, name: str) -> None:
    ca = folder / "pki" / "ca.crt"
    theirs, mine = folder / "theirs", folder / "mine"
    for path in (theirs, mine):
        path.write_text(FILES[name])

    run(kubectl, chain(folder, ["theirs"]), "set-cluster", "new", f"--certificate-authority={ca}")
    with clientcmd.editing(mine, relativize=True) as config:
        config.clusters["new"] = Cluster(certificate_authority=str(ca))

    assert contents(mine) == contents(theirs)
    assert clientcmd.load(mine.read_bytes()).clusters["new"].certificate_authority == "pki/ca.crt"


def test_kcfg_37_each_respects_the_lock_of_the_other(kubectl: Path, folder: Path) -> None:
    environ = chain(folder, ["tokens"])

    with clientcmd.editing(PathOptions(environ=environ)) as config:
        _, error = run(kubectl, environ, "use-context", "b")
        config.contexts["ours"] = Context(cluster="b")
    _, later = run(kubectl, environ, "use-context", "ours")

    assert "tokens.lock: file exists" in error
    assert later == ""
    assert PathOptions(environ=environ).load().current_context == "ours"


@pytest.mark.parametrize(
    "text",
    [
        "current-context: 3",
        "a: [",
        "kind: Pod\napiVersion: v1",
        "users: {a: b}",
        "users: [{name: a}, {name: a}]",
        "- a",
    ],
)
def test_kcfg_03_what_one_cannot_read_neither_can_the_other(kubectl: Path, folder: Path, text: str) -> None:
    (folder / "bad").write_text(text)
    environ = chain(folder, ["bad"])

    with pytest.raises(clientcmd.LoadError) as caught:
        PathOptions(environ=environ).load()
    _, error = run(kubectl, environ, "view")

    said = f'error loading config file "{folder / "bad"}": '
    assert str(caught.value).startswith(said)
    assert said in error
