"""Changing files: what goes where, what stays, and what is refused before anything is written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8srt.errors import ConfigError
from k8srt.tools import clientcmd
from k8srt.tools.clientcmd import (
    AuthInfo,
    Cluster,
    ConfigFileNotFound,
    ConfigLocked,
    Context,
    KubeConfig,
    LoadError,
    LoadingRules,
    PathOptions,
    Preferences,
)
from k8srt.tools.clientcmd.changing import UserPersister

FIRST = """\
apiVersion: v1
kind: Config
current-context: a
later-kubectl: {some: thing}
clusters:
- name: a
  zone: eu
  cluster:
    server: https://a
    certificate-authority: pki/ca.crt
    shiny: 010
    extensions:
    - {name: mine, note: kept, extension: {on: yes, when: 2020-01-01, big: 1e3}}
users:
- name: a
  user: {token: 1e5, exec: {command: ./bin/login, apiVersion: client.authentication.k8s.io/v1beta1, future: 1}}
contexts:
- name: a
  context: {cluster: a, user: a}
"""
SECOND = """\
preferences: {colors: true, extensions: [{name: p, extension: 1}]}
extensions: [{name: top, extension: [1, 2]}]
users:
- name: b
  user: {client-certificate: ../me.crt, client-key: me.key, auth-provider: {name: oidc, config: {id-token: old}}}
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "second").mkdir()
    paths = [tmp_path / "first", tmp_path / "second" / "config"]
    for path, text in zip(paths, (FIRST, SECOND), strict=True):
        path.write_text(text)
    return paths


@pytest.fixture
def options(files: list[Path]) -> PathOptions:
    return PathOptions(environ=environment(files))


def environment(files: list[Path]) -> dict[str, str]:
    return {"KUBECONFIG": os.pathsep.join(map(str, files)), "HOME": "/nonexistent"}


def plain(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)


def test_kcfg_34_nothing_different_nothing_written(options: PathOptions, files: list[Path]) -> None:
    before = [(path.read_text(), path.stat().st_mtime_ns) for path in files]

    with clientcmd.editing(options) as config:
        config.users["a"] = config.copy().users["a"]
    clientcmd.modify_config(options, options.starting_config())

    assert [(path.read_text(), path.stat().st_mtime_ns) for path in files] == before
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["first", "second"]


def test_kcfg_34_kcfg_41_only_what_changed_is_changed(options: PathOptions, files: list[Path]) -> None:
    with clientcmd.editing(options) as config:
        config.clusters["a"].server = "https://new"
        config.users["a"].username = "yes"
    expected = FIRST.replace("https://a\n", "https://new\n").replace("{token: 1e5,", "{token: 1e5, username: 'yes',")

    changed, other = (plain(path) for path in files)
    exec_stanza = changed["users"][0]["user"].pop("exec")
    wanted = yaml.load(expected, Loader=yaml.BaseLoader)

    assert exec_stanza == wanted["users"][0]["user"].pop("exec")
    assert changed == wanted
    assert list(changed) == list(wanted)
    assert other == yaml.load(SECOND, Loader=yaml.BaseLoader)
    assert files[1].read_text() == SECOND
    assert "shiny: 010" in files[0].read_text()


def test_kcfg_34_entries_go_to_where_they_came_from_and_new_ones_to_the_default(
    options: PathOptions, files: list[Path]
) -> None:
    with clientcmd.editing(options) as config:
        config.users["b"] = AuthInfo(token="t", location_of_origin="/somewhere/else")
        config.contexts["dev"] = Context(cluster="a", user="b", namespace="web")
        config.contexts["renamed"] = config.contexts.pop("a")
        config.users["kept-beside-b"] = AuthInfo(token="u", location_of_origin=str(files[1]))
        config.extensions["new"] = {"k": "v"}
        config.extensions["top"] = "changed"

    first, second = (plain(path) for path in files)
    assert [item["name"] for item in first["contexts"]] == ["dev", "renamed"]
    assert first["contexts"][1]["context"] == {"cluster": "a", "user": "a"}
    assert second["users"] == [
        {"name": "b", "user": {"token": "t"}},
        {"name": "kept-beside-b", "user": {"token": "u"}},
    ]
    assert first["extensions"] == [{"name": "new", "extension": {"k": "v"}}]
    assert second["extensions"] == [{"name": "top", "extension": "changed"}]


def test_kcfg_34_what_is_removed_is_removed_where_it_stands(options: PathOptions, files: list[Path]) -> None:
    with clientcmd.editing(options) as config:
        del config.users["b"]
        del config.clusters["a"]
        config.extensions.clear()
        config.unknown.clear()

    first, second = (plain(path) for path in files)
    assert not {"clusters", "users", "extensions"} & {*first, *second} - {"users"}
    assert ([user["name"] for user in first["users"]], second.get("users")) == (["a"], None)
    assert "later-kubectl" not in first
    assert clientcmd.load(files[1].read_bytes()).preferences.colors


def test_kcfg_34_modify_config_removes_what_the_new_one_lacks_unless_it_was_not_there_when_it_was_made(
    options: PathOptions, files: list[Path]
) -> None:
    base = options.starting_config()
    mine = base.copy()
    mine.contexts["mine"] = Context(cluster="a")
    with clientcmd.editing(options) as theirs:
        theirs.contexts["theirs"] = Context(cluster="a")

    clientcmd.modify_config(options, mine, base=base)
    both = set(options.load().contexts)
    clientcmd.modify_config(options, mine)

    assert both == {"a", "mine", "theirs"}
    assert set(options.load().contexts) == {"a", "mine"}


@pytest.mark.parametrize("rules", [LoadingRules, PathOptions])
def test_kcfg_35_the_default_file(rules: type[LoadingRules], tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    environ = environment([one, two])

    missing = rules(environ=environ).default_file()
    two.touch()
    existing = rules(environ=environ).default_file()

    assert missing == str(one if rules is LoadingRules else two)
    assert existing == str(two)
    assert rules("/explicit", environ=environ).default_file() == "/explicit"
    assert rules(environ={"HOME": "/h"}).default_file() == "/h/.kube/config"
    assert rules(environ={"KUBECONFIG": os.pathsep}).default_file() == ""
    with (
        pytest.raises(ConfigError, match="no kubeconfig file to write to"),
        clientcmd.editing(rules(environ={"KUBECONFIG": os.pathsep})) as config,
    ):
        config.current_context = "x"


def test_kcfg_36_the_current_context(options: PathOptions, files: list[Path]) -> None:
    def change(name: str) -> None:
        clientcmd.modify(options, lambda config: setattr(config, "current_context", name))

    change("b")
    set_in_first = plain(files[0])["current-context"]
    files[0].write_text(files[0].read_text().replace("current-context: b\n", ""))
    files[1].write_text(f"{SECOND}current-context: c\n")
    change("")

    assert set_in_first == "b"
    assert "current-context" not in plain(files[1])
    assert files[0].read_text().count("current-context") == 0


def test_kcfg_36_preferences_go_to_the_first_file_that_differs(options: PathOptions, files: list[Path]) -> None:
    with clientcmd.editing(options) as config:
        config.preferences.extensions = {**config.preferences.extensions, "q": "2"}

    assert plain(files[0])["preferences"]["extensions"][1] == {"name": "q", "extension": "2"}
    assert files[1].read_text() == SECOND
    with clientcmd.editing(options) as config:
        config.preferences = Preferences()
    assert options.load().preferences == Preferences()


def test_kcfg_37_a_lock_is_respected_at_once_and_left_alone(options: PathOptions, files: list[Path]) -> None:
    lock = Path(f"{files[1]}.lock")
    lock.touch()

    with pytest.raises(ConfigLocked, match=r"config\.lock exists") as caught, clientcmd.editing(options):
        raise AssertionError("not reached")

    assert (caught.value.path, caught.value.lock) == (str(files[1]), str(lock))
    assert lock.exists()
    assert not Path(f"{files[0]}.lock").exists()
    clientcmd.modify_config(options, KubeConfig(), lock=False)
    assert options.load().is_empty()


def test_kcfg_37_locks_are_there_meanwhile_and_gone_afterwards(options: PathOptions, files: list[Path]) -> None:
    locks = [Path(f"{path}.lock") for path in files]

    held = []

    def change(config: KubeConfig) -> None:
        held.extend(lock.exists() for lock in locks)
        config.current_context = "b"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        clientcmd.modify(options, change)

    assert held == [True, True]
    assert not any(lock.exists() for lock in locks)
    assert files[0].read_text() == FIRST


def test_kcfg_38_paths_below_the_file_are_written_relative(options: PathOptions, files: list[Path]) -> None:
    folder = files[1].parent
    rules = LoadingRules(environ=environment(files))
    config = rules.load()
    config.users["b"].client_key = str(folder / "keys" / "b.key")
    config.users["b"].token_file = "/elsewhere/token"

    clientcmd.modify_config(rules, config)

    user = plain(files[1])["users"][0]["user"]
    assert (user["client-key"], user["tokenFile"]) == ("keys/b.key", "/elsewhere/token")
    assert user["client-certificate"] == "../me.crt"
    assert files[0].read_text() == FIRST
    with pytest.raises(ConfigError, match=r"client-key: \.\./x requires backsteps and is not absolute"):
        clientcmd.modify(options, lambda c: setattr(c.users["b"], "client_key", "../x"), relativize=True)
    with clientcmd.editing(options) as edited:
        edited.users["b"].client_key = "../x"
    assert plain(files[1])["users"][0]["user"]["client-key"] == "../x"


def test_kcfg_38_a_program_beside_the_file_stays_one(options: PathOptions, files: list[Path]) -> None:
    rules = LoadingRules(environ=environment(files))
    config = rules.load()
    program = config.users["a"].exec
    assert program is not None
    program.args = ["--more"]
    program.command = str(files[0].parent / "login")

    clientcmd.modify_config(rules, config)

    written = plain(files[0])["users"][0]["user"]["exec"]
    assert (written["command"], written["args"], written["future"]) == ("./login", ["--more"], "1")


def test_kcfg_39_a_provider_keeps_what_it_got(options: PathOptions, files: list[Path]) -> None:
    UserPersister(LoadingRules(environ=environment(files)), "b").persist({"id-token": "new", "refresh-token": "r"})

    user = plain(files[1])["users"][0]["user"]
    assert user.pop("auth-provider") == {"name": "oidc", "config": {"id-token": "new", "refresh-token": "r"}}
    assert user == {"client-certificate": "../me.crt", "client-key": "me.key"}
    assert files[0].read_text() == FIRST
    with pytest.raises(ConfigError, match='user "a" has no auth-provider any more'):
        UserPersister(options, "a").persist({})


def test_files_are_made_private_and_their_folders_too(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "config"

    with clientcmd.editing(path) as config:
        config.clusters["c"] = Cluster(server="https://c", certificate_authority_data=b"PEM")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == (
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster:\n    server: https://c\n"
        "    certificate-authority-data: UEVN\n"
    )
    assert [each.name for each in path.parent.iterdir()] == ["config"]


def test_kcfg_09_write_to_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "config"
    config = clientcmd.load(FIRST)

    clientcmd.write_to_file(config, path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert clientcmd.load(path.read_bytes()) == config
    assert clientcmd.load(clientcmd.write(config)) == config


def test_a_wide_open_file_is_closed_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text(SECOND)
    real.chmod(0o666)
    link.symlink_to(real)

    with clientcmd.editing(link) as config:
        config.current_context = "x"

    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert clientcmd.load(real.read_bytes()).current_context == "x"


def test_one_file_under_two_names_is_one_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text(FIRST)
    link.symlink_to(real)

    with clientcmd.editing(PathOptions(environ=environment([link, real]))) as config:
        config.current_context = "x"
        config.unknown.clear()

    found = clientcmd.load(real.read_bytes())
    assert (found.current_context, found.unknown) == ("x", {})


def test_more_documents_in_a_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("current-context: a\n---\nsomething: else\n")

    with clientcmd.editing(path) as config:
        config.current_context = "b"

    documents = list(yaml.safe_load_all(path.read_text()))
    assert documents == [
        {"apiVersion": "v1", "kind": "Config", "current-context": "b"},
        {"something": "else"},
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda config: setattr(config, "current_context", 3), "current-context: expected a text, got a number"),
        (lambda config: setattr(config.users["a"], "token", b"x"), 'user "a": token: expected a text, got bytes'),
        (
            lambda config: setattr(config.clusters["a"], "certificate_authority_data", "text"),
            'cluster "a": certificate-authority-data: expected bytes, got a text',
        ),
        (lambda config: config.contexts.update(x={"cluster": "a"}), 'context "x": expected a context, got dict'),
        (lambda config: config.contexts.update({None: Context("a")}), "name: expected a text, got nothing"),
        (lambda config: config.extensions.update(x=object()), "cannot be written: it holds a object"),
        (
            lambda config: setattr(config.users["b"], "impersonate_groups", "admins"),
            'user "b": as-groups: expected a list, got a text',
        ),
    ],
)
def test_what_no_file_can_hold_is_refused_before_any_file_is_touched(
    change: Any, problem: str, options: PathOptions, files: list[Path]
) -> None:
    def both(config: KubeConfig) -> None:
        config.extensions["also"] = "changed"
        change(config)

    with pytest.raises(ValueError, match=problem):
        clientcmd.modify(options, both)

    assert [path.read_text() for path in files] == [FIRST, SECOND]
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["first", "second"]


def test_a_file_that_cannot_be_read_is_not_written(options: PathOptions, files: list[Path]) -> None:
    files[1].write_text("broken: [")

    with pytest.raises(LoadError, match="error loading config file"), clientcmd.editing(options):
        raise AssertionError("not reached")

    assert files[1].read_text() == "broken: ["


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(ConfigError, match=r"kubeconfig file .*file/config"),
        clientcmd.editing(tmp_path / "file" / "config"),
    ):
        raise AssertionError("not reached")


def test_kcfg_08_the_file_of_kubernetes_1_0_is_copied(tmp_path: Path) -> None:
    kube = tmp_path / ".kube"
    kube.mkdir()
    (kube / ".kubeconfig").write_text("current-context: old")
    (kube / ".kubeconfig").chmod(0o777)

    first = LoadingRules(environ={"HOME": str(tmp_path)}).load()
    (kube / ".kubeconfig").write_text("current-context: newer")
    second = LoadingRules(environ={"HOME": str(tmp_path)}).load()

    assert (first.current_context, second.current_context) == ("old", "old")
    assert stat.S_IMODE((kube / "config").stat().st_mode) == 0o600


def test_kcfg_08_nothing_is_copied_where_the_home_file_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / ".kubeconfig").write_text("current-context: old")

    with pytest.raises(ConfigFileNotFound):
        LoadingRules("/no/such/file", environ={"HOME": str(tmp_path)}).load()

    assert not (tmp_path / ".kube" / "config").exists()


def test_an_explicit_file_that_is_missing_is_an_empty_one_to_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "config"

    assert PathOptions(str(path)).starting_config().is_empty()
    with pytest.raises(FileNotFoundError):
        LoadingRules(str(path)).load()
