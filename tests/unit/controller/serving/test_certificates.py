"""Certificates in files that are replaced while they are served."""

from __future__ import annotations

import logging
import os
import queue
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt.controller.serving import figures
from k8srt.controller.webhook import Certificate, CertWatcher
from k8srt.errors import ConfigError
from k8srt.testing import FakeClock
from k8srt.util.threads import Stop

pytest.importorskip("cryptography")

from k8srt.util.certificates import Authority, Pair

LONG = 10.0


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new()


class Told(figures.WebhookFigures):
    def __init__(self) -> None:
        self.reads = 0
        self.errors = 0

    def certificate_read(self) -> None:
        self.reads += 1

    def certificate_error(self) -> None:
        self.errors += 1


@pytest.fixture
def told() -> Iterator[Told]:
    provider = Told()
    before = figures.set_provider(provider)
    yield provider
    figures.set_provider(before)


class Files:
    """A certificate and its key in a folder, and who watches them."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.authority = authority
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self.clock = FakeClock()
        self.watcher = CertWatcher(self.certificate, self.key, clock=self.clock)
        self.stop = Stop()

    def put(self, pair: Pair | None = None) -> Certificate:
        made = pair or self.authority.for_server(["localhost"])
        self.certificate.write_bytes(made.certificate)
        self.key.write_bytes(made.key)
        return Certificate(made.certificate, made.key)

    def look(self) -> None:
        """Let the time pass until the next look is over."""
        self.clock.wait_for_sleepers(1)
        self.clock.advance(10.0)
        self.clock.wait_for_sleepers(1)


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> Files:
    return Files(tmp_path, authority)


@pytest.fixture
def watched(files: Files) -> Iterator[Files]:
    """Files that are there, and watched."""
    files.put()
    thread = threading.Thread(target=files.watcher.start, args=(files.stop,))
    thread.start()
    yield files
    files.stop.set()
    thread.join(LONG)
    assert not thread.is_alive()


def test_crt_01_the_first_read_must_succeed(files: Files, told: Told) -> None:
    with pytest.raises(ConfigError, match=r"tls\.crt and key .*tls\.key cannot be used: .*No such file"):
        files.watcher.start(files.stop)
    with pytest.raises(ConfigError, match="not read yet"):
        files.watcher.context()
    assert (told.reads, told.errors) == (0, 1)
    with pytest.raises(ValueError, match="interval"):
        CertWatcher("a", "b", interval=0.0)


def test_crt_01_files_are_looked_at_every_ten_seconds(told: Told, watched: Files) -> None:
    watched.clock.wait_for_sleepers(1)
    before = watched.watcher.context()
    new = watched.put()

    watched.clock.advance(9.9)
    assert watched.watcher.context() is before

    watched.clock.advance(0.1)
    watched.clock.wait_for_sleepers(1)
    assert watched.watcher.current == new
    assert watched.watcher.context() is not before
    assert told.reads == 2


def test_crt_01_swapped_symlinks_are_followed(tmp_path: Path, authority: Authority) -> None:
    old, new = Files(_made(tmp_path / "old"), authority), Files(_made(tmp_path / "new"), authority)
    old.put()
    wanted = new.put()
    os.symlink("old", tmp_path / "data")
    watcher = CertWatcher(tmp_path / "data" / "tls.crt", tmp_path / "data" / "tls.key")
    watcher.read()

    os.symlink("new", tmp_path / "data.new")
    os.rename(tmp_path / "data.new", tmp_path / "data")

    assert watcher.read() is True
    assert watcher.current == wanted


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_crt_02_a_failed_reload_keeps_what_is_in_use(
    watched: Files, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    watched.clock.wait_for_sleepers(1)
    before = watched.watcher.current
    watched.certificate.unlink()

    watched.look()
    watched.look()

    assert watched.watcher.current == before
    assert told.errors == 2
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert ["the certificate in use stays" in record.message for record in errors] == [True]


def test_crt_02_what_is_equal_changes_nothing(files: Files, told: Told) -> None:
    pair = files.authority.for_server(["localhost"])
    files.put(pair)
    assert files.watcher.read() is True
    context = files.watcher.context()
    files.put(pair)

    assert files.watcher.read() is False

    assert files.watcher.context() is context
    assert told.reads == 1


def test_crt_03_callbacks_are_told_at_once_and_of_each_change(watched: Files, told: Told) -> None:
    watched.clock.wait_for_sleepers(1)
    first = watched.watcher.current
    told_of: queue.Queue[tuple[Certificate, str]] = queue.Queue()
    watched.watcher.register_callback(lambda found: told_of.put((found, threading.current_thread().name)))
    assert told_of.get(timeout=LONG)[0] == first

    watched.look()
    new = watched.put()
    watched.look()

    found, thread = told_of.get(timeout=LONG)
    assert found == new
    assert thread.startswith("k8srt-certificate-callback-")
    assert told_of.empty()
    assert "PRIVATE" not in repr(found)


def test_crt_03_without_a_certificate_a_callback_waits_for_the_first(files: Files) -> None:
    told_of: queue.Queue[Certificate] = queue.Queue()
    files.watcher.register_callback(told_of.put)
    assert told_of.empty()

    wanted = files.put()
    files.watcher.read()

    assert told_of.get(timeout=LONG) == wanted


def test_crt_04_a_pair_that_does_not_belong_together_is_tried_again(watched: Files, told: Told) -> None:
    watched.clock.wait_for_sleepers(1)
    before = watched.watcher.current
    new = watched.authority.for_server(["localhost"])
    watched.certificate.write_bytes(new.certificate)

    watched.look()
    assert watched.watcher.current == before
    assert told.errors == 1

    watched.key.write_bytes(new.key)
    watched.look()
    assert watched.watcher.current == Certificate(*new)


def test_crt_04_keys_with_a_password_are_refused(files: Files) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pair = files.authority.for_server(["localhost"])
    locked = load_pem_private_key(pair.key, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    files.put(Pair(pair.certificate, locked))

    with pytest.raises(ConfigError, match="without a password"):
        files.watcher.read()


def test_whs_01_options_are_set_on_each_context(files: Files) -> None:
    seen: list[ssl.SSLContext] = []
    watcher = CertWatcher(files.certificate, files.key, prepare=seen.append)
    files.put()
    watcher.read()
    files.put()
    watcher.read()

    assert seen[1] is watcher.context()
    assert seen[0] is not seen[1]
    assert watcher.context().minimum_version == ssl.TLSVersion.TLSv1_2
