"""Whatever is wrong with a file: the error names the file, the entry and the field, and shows no secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd import LoadError, LoadingRules, load, load_config, validate

GOOD = """
current-context: main
clusters: [{name: c, cluster: {server: "https://c"}}]
users: [{name: u, user: {token: hunter2}}]
contexts: [{name: main, context: {cluster: c, user: u}}]
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "while parsing"),
        ("a: b: c", "mapping values are not allowed"),
        ("a: \t- x\n\t- y", "line 1, column"),
        ("\x00", "control characters"),
        ("a: &a [*a]", "excessive aliasing"),
        ("a: *nowhere", "undefined alias"),
        ("x: " + "[" * 2000 + "]" * 2000, "maximum nesting"),
        ("!!python/object/apply:os.getpid []", "could not determine a constructor"),
        ("just text", "the document: expected a mapping, got a text"),
        ("- a", "the document: expected a mapping, got a list"),
        ("3", "the document: expected a mapping, got a number"),
        ("kind: Pod", "expected kind Config of apiVersion v1, got Pod of v1"),
        ("apiVersion: v2", "expected kind Config of apiVersion v1, got Config of v2"),
        ("apiVersion: 1", "apiVersion: expected a text, got a number"),
        ("current-context: 3", "current-context: expected a text, got a number; put it in quotes"),
        ("current-context: true", "current-context: expected a text, got a boolean; put it in quotes"),
        ("current-context: [x]", "current-context: expected a text, got a list"),
        ("preferences: 3", "preferences: expected a mapping, got a number"),
        ("preferences: {colors: blue}", "preferences.colors: expected true or false, got a text"),
        ("clusters: {a: b}", "clusters: expected a list, got a mapping"),
        ("clusters: [x]", "clusters[0]: expected a mapping, got a text"),
        ("users: [{name: {}}]", "users[0].name: expected a text, got a mapping"),
        ("users: [{name: 12345}]", "users[0].name: expected a text, got a number"),
        ("contexts: [{name: a}, {name: a}]", 'duplicate name "a" in list contexts'),
        ("contexts: [{name: a, context: x}]", 'context "a": context: expected a mapping, got a text'),
        ("contexts: [{name: a, context: {namespace: 7}}]", 'context "a": namespace: expected a text, got a number'),
        (
            "clusters: [{name: c, cluster: {certificate-authority-data: '%'}}]",
            'cluster "c": certificate-authority-data: malformed base64',
        ),
        (
            "clusters: [{name: c, cluster: {certificate-authority-data: QUI}}]",
            'cluster "c": certificate-authority-data: malformed base64',
        ),
        (
            "clusters: [{name: c, cluster: {insecure-skip-tls-verify: 1}}]",
            'cluster "c": insecure-skip-tls-verify: expected true or false, got a number',
        ),
        (
            "clusters: [{name: c, cluster: {extensions: [{name: x}, {name: x}]}}]",
            'cluster "c": extensions: duplicate name "x" in list',
        ),
        ("users: [{name: u, user: {as-groups: admins}}]", 'user "u": as-groups: expected a list, got a text'),
        ("users: [{name: u, user: {as-groups: [a, 1]}}]", 'user "u": as-groups[1]: expected a text, got a number'),
        ("users: [{name: u, user: {as-user-extra: [k]}}]", 'user "u": as-user-extra: expected a mapping, got a list'),
        ("users: [{name: u, user: {as-user-extra: {k: v}}}]", 'user "u": as-user-extra.k: expected a list, got a text'),
        ("users: [{name: u, user: {exec: aws}}]", 'user "u": exec: expected a mapping, got a text'),
        ("users: [{name: u, user: {exec: {args: x}}}]", 'user "u": exec.args: expected a list, got a text'),
        (
            "users: [{name: u, user: {exec: {env: [{name: A, value: 1}]}}}]",
            'user "u": exec.env[0].value: expected a text, got a number',
        ),
        (
            "users: [{name: u, user: {auth-provider: {config: {id: 1}}}}]",
            'user "u": auth-provider.config.id: expected a text, got a number',
        ),
    ],
)
def test_kcfg_07_what_is_wrong_is_named(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)

    with pytest.raises(LoadError) as caught:
        LoadingRules(str(file)).load()

    assert str(caught.value).startswith(f'error loading config file "{file}": ')
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["token", "password", "client-key-data", "exec"])
@pytest.mark.parametrize("value", ["{name: {hunter2: x}}", "[hunter2]"])
def test_no_message_shows_a_secret_in_the_wrong_place(field: str, value: str) -> None:
    if field == "exec":
        value = f"{{command: {value}}}"

    with pytest.raises(LoadError) as caught:
        load(f"users: [{{name: u, user: {{{field}: {value}}}}}]")

    assert "hunter2" not in str(caught.value)
    assert f'user "u": {field}' in str(caught.value)


def test_nor_does_one_about_broken_yaml() -> None:
    with pytest.raises(LoadError, match=r"line 3, column \d+: ") as caught:
        load("users:\n- name: u\n  user: {token: hunter2: hunter2}\n")

    assert "hunter2" not in str(caught.value)


def test_kcfg_03_the_other_files_are_merged_all_the_same(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(GOOD)
    bad.write_text("current-context: 3")

    with pytest.raises(LoadError) as caught:
        LoadingRules(environ={"KUBECONFIG": f"{bad}{os.pathsep}{good}"}).load()

    assert caught.value.rest is not None
    assert caught.value.rest.current_context == "main"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    with pytest.raises(LoadError, match=r'error loading config file ".*folder": Is a directory'):
        LoadingRules(str(folder)).load()
    with pytest.raises(LoadError, match="embedded null"):
        LoadingRules("a\0b").load()


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (("user: u", "user: x"), ['context "main" in {file}: user "x" was not found']),
        (("cluster: c,", "cluster: x,"), ['context "main" in {file}: cluster "x" was not found']),
        (("current-context: main", "current-context: x"), ["context was not found for specified context: x"]),
        (("https://c", ""), ['cluster "c" in {file}: server: no server found']),
        (
            ("token: hunter2", "client-certificate: no.crt, client-key: no.key"),
            [
                'user "u" in {file}: client-certificate: unable to read {folder}/no.crt: No such file or directory',
                'user "u" in {file}: client-key: unable to read {folder}/no.key: No such file or directory',
            ],
        ),
        (
            ('server: "https://c"', 'server: "https://c", proxy-url: "http://me:hunter2@"'),
            ["cluster \"c\" in {file}: proxy-url: 'http://me:***@' must be an http, https or socks5 URL with a host"],
        ),
    ],
)
def test_kcfg_22_dangling_names_and_files_are_named(
    change: tuple[str, str], problems: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text(GOOD.replace(*change))

    with pytest.raises(ConfigError) as used:
        load_config(file, environ={})
    with pytest.raises(ConfigError) as validated:
        validate(LoadingRules(str(file)).load())

    for problem in problems:
        assert problem.format(file=file, folder=tmp_path) in str(used.value)
        assert problem.format(file=file, folder=tmp_path) in str(validated.value)
    assert "hunter2" not in str(used.value)
