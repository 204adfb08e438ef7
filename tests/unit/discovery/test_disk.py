"""What is kept in files, in kubectl's layout."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.discovery import CachedDiscoveryClient, DiscoveryClient, MemCacheClient, cache_dir_for_host
from k8srt.rest import Config
from k8srt.testing import FakeClock
from k8srt.testing.apiserver.messages import Request, Response
from tests.unit.discovery.answers import Answers, at_once, failure, plain, resource_list, told_group


def over(server: Answers, folder: Path, ttl: float = 60.0, clock: FakeClock | None = None) -> CachedDiscoveryClient:
    live = MemCacheClient(DiscoveryClient(server.config()))
    return CachedDiscoveryClient(live, str(folder), ttl, clock=clock or now())


def now() -> FakeClock:
    return FakeClock(time=datetime.now(UTC))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


LAYOUT = {
    "servergroups.json",
    "v1/serverresources.json",
    "apps/v1/serverresources.json",
    "batch/v1/serverresources.json",
    "batch/v1beta1/serverresources.json",
}


def test_cli_26_the_layout_is_that_of_kubectl(tmp_path: Path) -> None:
    over(plain(), tmp_path).server_groups_and_resources()

    assert files(tmp_path) == LAYOUT
    groups = json.loads((tmp_path / "servergroups.json").read_text())
    assert (groups["kind"], groups["apiVersion"]) == ("APIGroupList", "v1")
    assert groups["groups"][0] == {
        "name": "",
        "versions": [{"groupVersion": "v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "v1", "version": "v1"},
    }
    resources = json.loads((tmp_path / "apps/v1/serverresources.json").read_text())
    assert (resources["kind"], resources["apiVersion"], resources["groupVersion"]) == (
        "APIResourceList",
        "v1",
        "apps/v1",
    )
    assert resources["resources"][0]["shortNames"] == ["deploy"]


def test_cli_26_folders_and_files_are_for_the_owner_and_the_group(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        over(at_once(), tmp_path / "cache" / "host").server_groups_and_resources()
    finally:
        os.umask(before)

    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").rglob("*")}
    assert modes == {True: 0o750, False: 0o660}


def test_cli_26_another_process_reads_them_and_asks_nothing(tmp_path: Path) -> None:
    first, second = plain(), plain()
    told = over(first, tmp_path).server_groups_and_resources()

    other = over(second, tmp_path)

    assert [each.group_version for each in other.server_groups_and_resources().resources] == [
        each.group_version for each in told.resources
    ]
    assert second.asked == []
    assert not other.fresh()
    assert over(first, tmp_path).fresh()


def test_cli_26_a_file_counts_as_long_as_its_time_to_live(tmp_path: Path) -> None:
    server, clock = plain(), now()
    over(server, tmp_path).server_groups()
    written = datetime(2026, 1, 1, tzinfo=UTC)
    os.utime(tmp_path / "servergroups.json", (written.timestamp(), written.timestamp()))
    clock.set_time(written + timedelta(seconds=60.0))
    second = plain()

    over(second, tmp_path, 60.0, clock).server_groups()
    assert second.asked == []
    clock.set_time(clock.time() + timedelta(seconds=1.0))
    over(second, tmp_path, 60.0, clock).server_groups()

    assert second.asked[:2] == ["/api", "/apis"]


def test_cli_26_after_invalidate_only_own_files_count(tmp_path: Path) -> None:
    over(plain(), tmp_path).server_groups_and_resources()
    server = plain()
    client = over(server, tmp_path)
    client.server_groups()
    assert server.asked == []

    client.invalidate()

    assert client.fresh()
    client.server_groups()
    assert server.asked[:2] == ["/api", "/apis"]
    client.server_groups()
    assert len(server.asked) == 6
    assert client.fresh()


def test_cli_26_empty_and_failed_answers_are_not_kept(tmp_path: Path) -> None:
    server = plain(apis_apps_v1=resource_list("apps/v1"), apis_batch_v1=failure(503, "later"))
    live = DiscoveryClient(server.config())

    with pytest.raises(errors.GroupDiscoveryFailed):
        CachedDiscoveryClient(live, str(tmp_path)).server_groups_and_resources()

    assert files(tmp_path) == LAYOUT - {"apps/v1/serverresources.json", "batch/v1/serverresources.json"}


def test_cli_26_groups_of_which_some_are_stale_are_not_kept(tmp_path: Path) -> None:
    server = at_once(told_group("metrics.k8s.io", v1beta1=None))

    with pytest.raises(errors.GroupDiscoveryFailed, match="stale"):
        over(server, tmp_path).server_groups_and_resources()

    assert files(tmp_path) == {"v1/serverresources.json", "apps/v1/serverresources.json"}


def test_cli_26_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    found = over(plain(), tmp_path / "file" / "cache").server_groups_and_resources()

    assert len(found.groups) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"groups": 3}'])
def test_cli_26_a_file_that_makes_no_sense_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    (tmp_path / "servergroups.json").write_text(text)

    assert len(over(plain(), tmp_path).server_groups()) == 3
    assert json.loads((tmp_path / "servergroups.json").read_text())["kind"] == "APIGroupList"


def test_cli_26_nothing_is_left_beside_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)

    over(plain(), tmp_path).server_groups_and_resources()

    assert files(tmp_path) == set()


def test_cli_26_answers_that_still_hold_are_not_sent_again(tmp_path: Path) -> None:
    document = Response(200, b'{"swagger": "2.0"}', headers=[("ETag", '"abc"')])

    def serve(request: Request) -> Response:
        return Response(304, b"", "") if request.header("if-none-match") == '"abc"' else document

    server = Answers({"/openapi/v2": serve})

    asked = [DiscoveryClient(server.config(), http_cache_dir=str(tmp_path)).openapi_v2() for _ in range(2)]

    assert asked == [{"swagger": "2.0"}] * 2
    assert [each.header("if-none-match") for each in server.requests] == ["", '"abc"']
    [kept] = tmp_path.iterdir()
    kept.write_bytes(b"broken")
    assert DiscoveryClient(server.config(), http_cache_dir=str(tmp_path)).openapi_v2() == {"swagger": "2.0"}


def test_where_kubectl_has_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path))

    made = CachedDiscoveryClient.for_config(Config(host="https://host.example:6443/k8s/clusters/c-1"))

    assert made.dir == str(tmp_path / "discovery" / "host.example_6443" / "k8s" / "clusters" / "c_1")
    assert made.ttl == 6 * 3600
    assert cache_dir_for_host("/c", "http://127.0.0.1:41043") == "/c/127.0.0.1_41043"
    assert "in " + str(tmp_path) in repr(made)


def test_the_rest_is_asked_of_the_server(tmp_path: Path) -> None:
    server = Answers({"/openapi/v3": {"paths": {}}, "/version": {"gitVersion": "v1.2.3"}, "/openapi/v2": {}})
    client = over(server, tmp_path)

    assert (str(client.server_version()), client.openapi_v2(), len(client.openapi_v3())) == ("v1.2.3", {}, 0)
    with pytest.raises(ValueError, match="empty"):
        client.server_resources_for_group_version("")
