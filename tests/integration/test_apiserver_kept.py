"""A cluster that is kept in a folder: across stops, and across kills at any moment."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.errors import ConfigError
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from tests.integration.apiserver import CONFIG_MAPS, CRDS, Client

pytestmark = pytest.mark.embedded

JSON = dict[str, Any]
KILLS = 12
WRITERS = 4

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


# ---- stops


def test_everything_is_there_again(tmp_path: Path) -> None:
    with APIServer(data_dir=tmp_path) as first, Client(first) as client:
        token, port = first.token, first.port
        assert client.post(CRDS, WIDGETS).status == 201
        widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"n": 1}}
        made = client.post("/apis/example.com/v1/namespaces/default/widgets", widget).body
        kept = client.post(CONFIG_MAPS, {"metadata": {"name": "c", "labels": {"a": "b"}}, "data": {"k": "v"}}).body
        roles = client.get("/apis/rbac.authorization.k8s.io/v1/clusterroles").body["items"]
        last = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]

    with APIServer(port, data_dir=tmp_path) as second, Client(second) as client:
        assert second.token == token
        assert client.get("/apis/example.com/v1/namespaces/default/widgets/w").body == made
        assert client.get(f"{CONFIG_MAPS}/c").body == kept
        assert [each["metadata"]["name"] for each in client.get(f"{CONFIG_MAPS}?labelSelector=a=b").body["items"]]
        assert client.get("/apis/rbac.authorization.k8s.io/v1/clusterroles").body["items"] == roles
        listed = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
        assert int(listed) == int(last)
        later = client.post(CONFIG_MAPS, {"metadata": {"name": "later"}}).body
        assert int(later["metadata"]["resourceVersion"]) > int(last)
        with client.watch(f"{CONFIG_MAPS}?resourceVersion={made['metadata']['resourceVersion']}") as watch:
            assert watch.next()["object"]["code"] == 410


def test_tokens_and_certificates_hold_after_a_restart(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="certificates are made with cryptography")
    with APIServer(data_dir=tmp_path, tls=True) as first, Clientset(first.config) as cs:
        config = first.config
        cs.core_v1.service_accounts("default").create({"metadata": {"name": "robot"}})
        token = cs.core_v1.service_accounts("default").create_token("robot").status.token
        port = first.port

    with APIServer(port, data_dir=tmp_path, tls=True), Clientset(config) as cs:
        review = cs.authentication_v1.token_reviews().create({"spec": {"token": token}})

        assert review.status.authenticated
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077} == set()


def test_work_that_was_left_undone_is_done(tmp_path: Path) -> None:
    """Nobody collects garbage or empties namespaces in the first run; the second one does."""
    switches = {"garbage_collection": False, "namespace_controller": False}
    with APIServer(data_dir=tmp_path, **switches) as first, Clientset(first.config) as cs:
        owner = cs.core_v1.config_maps("default").create({"metadata": {"name": "owner"}})
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid}
        cs.core_v1.config_maps("default").create({"metadata": {"name": "owned", "ownerReferences": [ref]}})
        cs.core_v1.config_maps("default").delete("owner")
        cs.core_v1.namespaces().create({"metadata": {"name": "going"}})
        cs.core_v1.namespaces().delete("going")

    with APIServer(data_dir=tmp_path) as second, Client(second) as client:
        client.until_gone(f"{CONFIG_MAPS}/owned")
        client.until_gone("/api/v1/namespaces/going")


def test_a_folder_is_for_one_server_at_a_time(tmp_path: Path) -> None:
    with APIServer(data_dir=tmp_path), pytest.raises(ConfigError, match="in use by another server"):
        APIServer(data_dir=tmp_path)

    with APIServer(data_dir=tmp_path):
        pass


def test_a_disk_that_is_full_refuses_writes_and_serves_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with APIServer(data_dir=tmp_path) as server, Clientset(server.config) as cs:
        maps = cs.core_v1.config_maps("default")
        maps.create(ConfigMap.from_dict({"metadata": {"name": "a"}}))
        server.cluster.storage._journal._db.execute("PRAGMA max_page_count = 1")  # type: ignore[union-attr]

        with pytest.raises(errors.InternalError, match="full"):
            maps.create({"metadata": {"name": "big"}, "data": {"x": "y" * 900_000}})

        assert maps.get("a").metadata.name == "a"


# ---- kills


class Server:
    """`k8srt apiserver --data-dir` in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    def spawn(self) -> None:
        words = ["-m", "k8srt.cli.main", "apiserver", "--data-dir", str(self.folder), "--port", str(self.port)]
        self._process = subprocess.Popen([sys.executable, "-u", *words], stdout=subprocess.PIPE, text=True)

    def start(self) -> None:
        self.spawn()
        assert self._process is not None
        assert self._process.stdout is not None
        assert "listening" in self._process.stdout.readline()

    def kill(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()

    @property
    def token(self) -> str:
        return (self.folder / "token").read_text()


@contextmanager
def http() -> Iterator[urllib3.PoolManager]:
    pool = urllib3.PoolManager(retries=False, timeout=10.0, maxsize=WRITERS)
    try:
        yield pool
    finally:
        pool.clear()


class Writer(threading.Thread):
    """Creates, changes and removes objects of its own until the server is gone, and keeps book of it.

    `known` is what was acknowledged, the value or None for what was removed; `doubtful` is the write that got no
    answer, which may or may not have happened.
    """

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._server, self._number, self._random = server, number, random.Random(seed)
        self.known: dict[str, str | None] = {}
        self.doubtful: dict[str, str | None] = {}
        self.highest = 0
        self.acknowledged = 0

    def run(self) -> None:
        with http() as pool:
            try:
                while True:
                    self._write(pool)
            except (urllib3.exceptions.HTTPError, OSError):
                return  # the server was killed

    def _write(self, pool: urllib3.PoolManager) -> None:
        name = f"w{self._number}-{self._random.randrange(20)}"
        value = str(self._random.random())
        there = self.known.get(name)
        if there is None:
            method, path = "POST", CONFIG_MAPS
        elif self._random.random() < 0.3:
            method, path, value = "DELETE", f"{CONFIG_MAPS}/{name}", ""
        else:
            method, path = "PUT", f"{CONFIG_MAPS}/{name}"
        after = value or None
        body = {"metadata": {"name": name}, "data": {"v": value, "more": value * 50}}
        self.doubtful = {name: after}
        headers = {"Authorization": f"Bearer {self._server.token}", "Content-Type": "application/json"}
        sent = None if method == "DELETE" else json.dumps(body)
        answer = pool.request(method, f"http://127.0.0.1:{self._server.port}{path}", body=sent, headers=headers)
        assert answer.status in (200, 201), answer.data
        self.doubtful = {}
        self.known[name] = after
        self.acknowledged += 1
        if after is not None:
            self.highest = max(self.highest, int(answer.json()["metadata"]["resourceVersion"]))


class Book:
    """What all writers together know of, over all the lives of a server."""

    def __init__(self) -> None:
        self.known: dict[str, str | None] = {}
        self.doubtful: dict[str, str | None] = {}
        self.highest = 0
        self.acknowledged = 0

    def add(self, writers: list[Writer]) -> None:
        for writer in writers:
            self.known |= writer.known
            self.doubtful |= writer.doubtful
            self.acknowledged += writer.acknowledged
            self.highest = max(self.highest, writer.highest)

    def check(self, server: Server) -> None:
        """Compare with what a server has, and take that for known."""
        found, version = _look(server)
        for name, value in self.known.items():
            allowed = [value, *([self.doubtful[name]] if name in self.doubtful else [])]
            assert found.get(name) in allowed, name
        assert set(found) <= set(self.known) | set(self.doubtful)
        assert version > self.highest
        self.known = {**dict.fromkeys(self.known), **found}
        self.doubtful = {}
        self.highest = version


@pytest.mark.parametrize("until", ["cluster.db", "token", "service-account.key"])
def test_a_kill_while_it_begins_leaves_a_folder_that_can_be_used(tmp_path: Path, until: str) -> None:
    """The first start makes the folder, its keys and what a cluster begins with; killed anywhere in between."""
    rng = random.Random(until)
    with APIServer() as usual, Clientset(usual.config) as cs:
        expected = {role.metadata.name for role in cs.rbac_v1.cluster_roles().list().items}
    for number in range(2):
        server = Server(tmp_path / str(number))
        server.spawn()
        while not (server.folder / until).exists():
            threading.Event().wait(0.001)
        threading.Event().wait(rng.uniform(0.0, 0.02))
        server.kill()

        with APIServer(data_dir=server.folder) as again, Clientset(again.config) as cs:
            assert {role.metadata.name for role in cs.rbac_v1.cluster_roles().list().items} == expected
            assert cs.core_v1.service_accounts("default").get("default").metadata.uid


@pytest.mark.timeout(180)
def test_a_kill_at_any_time_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    server, rng, book = Server(tmp_path / "data"), random.Random(6), Book()
    for _ in range(KILLS):
        server.start()
        try:
            book.check(server)
            writers = [Writer(server, number, rng.randrange(1 << 30)) for number in range(WRITERS)]
            for number, writer in enumerate(writers):
                writer.known = {name: value for name, value in book.known.items() if name.startswith(f"w{number}-")}
                writer.start()
            threading.Event().wait(rng.uniform(0.02, 0.4))
        finally:
            server.kill()
        for writer in writers:
            writer.join()
        book.add(writers)

    server.start()
    try:
        book.check(server)
    finally:
        server.kill()
    assert book.acknowledged > KILLS


def _look(server: Server) -> tuple[dict[str, str | None], int]:
    """Every object of a server, and a version newer than all it gave before."""
    with http() as pool:
        url = f"http://127.0.0.1:{server.port}{CONFIG_MAPS}"
        headers = {"Authorization": f"Bearer {server.token}"}
        items = pool.request("GET", url, headers=headers).json()["items"]
        for item in items:
            assert item["data"]["more"] == item["data"]["v"] * 50  # none is torn
        probe = pool.request("POST", url, headers=headers, body='{"metadata": {"name": "probe"}}').json()
        pool.request("DELETE", f"{url}/probe", headers=headers)
    values = {item["metadata"]["name"]: item["data"]["v"] for item in items}
    return values, int(probe["metadata"]["resourceVersion"])
