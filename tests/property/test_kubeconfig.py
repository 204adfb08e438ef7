"""Any kubeconfig survives: reading, merging, writing, changing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8srt.tools import clientcmd
from k8srt.tools.clientcmd import AuthInfo, Cluster, Context, ExecConfig, KubeConfig, PathOptions, Preferences
from k8srt.transport.auth_config import AuthProviderConfig

TRICKY = [
    "yes",
    "010",
    "1e5",
    "0x1F",
    "~",
    "null",
    "2020-01-01",
    "1:30",
    "<<",
    "=",
    "",
    " ",
    "- a",
    "a: b",
    "#",
    "'",
    '"',
]
texts = st.sampled_from(TRICKY) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), max_size=8
)
names = st.sampled_from(["a", "b", "yes", "010", "c d"]) | texts
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | texts,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3),
    max_leaves=6,
)
extensions = st.dictionaries(names, values, max_size=2)
unknown = st.dictionaries(st.sampled_from(["x-new", "future", "Later"]), values, max_size=2)
more = {"extensions": extensions, "unknown": unknown, "beside": unknown}
clusters = st.builds(
    Cluster,
    server=texts,
    tls_server_name=texts,
    insecure_skip_tls_verify=st.booleans(),
    certificate_authority=texts,
    certificate_authority_data=st.binary(max_size=5),
    proxy_url=texts,
    disable_compression=st.booleans(),
    location_of_origin=st.just(""),
    **more,
)
programs = st.builds(
    ExecConfig,
    command=texts,
    args=st.lists(texts, max_size=2),
    env=st.lists(st.tuples(texts, texts), max_size=2),
    api_version=st.just("client.authentication.k8s.io/v1"),
    install_hint=texts,
    provide_cluster_info=st.booleans(),
    interactive_mode=texts,
    config=st.none(),
    stdin_unavailable=st.just(False),
    stdin_unavailable_message=st.just(""),
    unknown=unknown,
)
providers = st.builds(AuthProviderConfig, name=texts, config=st.dictionaries(texts, texts, max_size=2), unknown=unknown)
users = st.builds(
    AuthInfo,
    client_certificate=texts,
    client_certificate_data=st.binary(max_size=5),
    client_key=texts,
    client_key_data=st.binary(max_size=5),
    token=texts,
    token_file=texts,
    impersonate=texts,
    impersonate_uid=texts,
    impersonate_groups=st.lists(texts, max_size=2),
    impersonate_user_extra=st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2),
    username=texts,
    password=texts,
    auth_provider=st.none() | providers,
    exec=st.none() | programs,
    location_of_origin=st.just(""),
    **more,
)
contexts = st.builds(Context, cluster=texts, user=texts, namespace=texts, location_of_origin=st.just(""), **more)
configs = st.builds(
    KubeConfig,
    clusters=st.dictionaries(names, clusters, max_size=2),
    users=st.dictionaries(names, users, max_size=2),
    contexts=st.dictionaries(names, contexts, max_size=2),
    current_context=texts,
    preferences=st.builds(Preferences, colors=st.booleans(), extensions=extensions, unknown=unknown),
    extensions=extensions,
    unknown=unknown,
)
short = settings(max_examples=60, deadline=None)


@short
@given(configs)
def test_kcfg_41_what_is_written_is_read_again(config: KubeConfig) -> None:
    assert clientcmd.load(clientcmd.write(config)) == config
    assert clientcmd.load(json.dumps(clientcmd.to_dict(config))) == config
    assert clientcmd.from_dict(clientcmd.to_dict(config)) == config


@short
@given(configs, configs, configs)
def test_kcfg_04_kcfg_05_merging_is_associative_and_an_empty_config_changes_nothing(
    one: KubeConfig, two: KubeConfig, three: KubeConfig
) -> None:
    merge = clientcmd.merge

    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])]) == merge([one, two, three])
    assert merge([one, KubeConfig()]) == merge([KubeConfig(), one]) == merge([one, one]) == one


@short
@given(configs, configs)
def test_kcfg_34_a_file_is_turned_into_any_other(one: KubeConfig, two: KubeConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "config")
        clientcmd.write_to_file(one, path)

        clientcmd.modify_config(PathOptions(path), two, relativize=False)

        assert without_origin(clientcmd.load(Path(path).read_bytes())) == without_origin(two)


@short
@given(configs, configs, st.data())
def test_kcfg_34_of_two_files_only_what_changes_changes(one: KubeConfig, two: KubeConfig, data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("one", "two")]
        for path, config in zip(paths, (one, two), strict=True):
            clientcmd.write_to_file(config, path)
        options = PathOptions(environ={"KUBECONFIG": os.pathsep.join(paths)})
        with clientcmd.editing(options) as config:
            wanted = data.draw(st.sampled_from([*config.users, "new"]))
            config.users[wanted] = AuthInfo(token="changed")
            expected = config.copy()
        origin = expected.users[wanted].location_of_origin

        found = options.load()

        assert found.users[wanted].token == "changed"
        found.users.pop(wanted)
        expected.users.pop(wanted)
        assert found == expected
        assert origin == ""
        untouched = [path for path, before in zip(paths, (one, two), strict=True) if wanted not in before.users]
        texts_left = [Path(path).read_bytes() for path in untouched if path != paths[0]]
        assert texts_left == [clientcmd.write(two)] * len(texts_left)


def without_origin(config: KubeConfig) -> KubeConfig:
    for entries in (config.clusters, config.users, config.contexts):
        for entry in entries.values():
            entry.location_of_origin = ""
    return config
