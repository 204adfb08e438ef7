"""The bucket controller over HTTP, with its storage service: what is made, mended, waited for and removed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt.apimachinery.conditions import find_condition
from k8srt.apimachinery.meta import Condition, ObjectMeta
from k8srt.examples.buckets import main as program
from k8srt.examples.buckets.api import Bucket, BucketSpec
from k8srt.examples.buckets.client import Refused, StorageClient, StorageError
from k8srt.examples.buckets.controller import FINALIZER, name_of
from k8srt.examples.buckets.main import make_manager
from k8srt.examples.buckets.service import StorageService
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from tests.integration.strictly import strictly

CRD = Path(program.__file__).with_name("crd.yaml")
SOON = 0.02


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageService]:
    with StorageService(tmp_path) as storage:
        yield storage


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def buckets(server: Server, cs: Clientset, namespace: str, storage: StorageService) -> Iterator[ResourceClient[Bucket]]:
    """A client of Buckets that are looked after."""
    cs.apply(CRD)
    with make_manager(server.config, storage=storage.url, look_again=SOON):
        yield cs.resource(Bucket, namespace)


def bucket(when_deleted: str = "Delete") -> Bucket:
    return Bucket(metadata=ObjectMeta(name="photos"), spec=BucketSpec(quota=7, when_deleted=when_deleted))


def ready(bucket: Bucket) -> Condition | None:
    return find_condition(bucket.status.conditions, "Ready")


def test_a_bucket_is_made_and_goes_with_its_object(buckets: ResourceClient[Bucket], storage: StorageService) -> None:
    buckets.create(bucket())

    there = buckets.wait("photos", "condition=Ready", timeout=20)
    assert there.metadata.finalizers == [FINALIZER]
    assert there.status.url == f"{storage.url}/buckets/{name_of(there)}"
    assert (storage.folder / name_of(there)).is_dir()

    buckets.delete("photos")
    buckets.wait("photos", "delete", timeout=20)
    assert not (storage.folder / name_of(there)).exists()


def test_a_bucket_that_holds_files_keeps_its_object(buckets: ResourceClient[Bucket], storage: StorageService) -> None:
    buckets.create(bucket())
    there = buckets.wait("photos", "condition=Ready", timeout=20)
    file = storage.folder / name_of(there) / "cat.jpg"
    file.write_bytes(b"meow")

    buckets.delete("photos")
    assert buckets.wait("photos", lambda it: it.metadata.deletion_timestamp is not None, timeout=20)
    assert file.exists()

    file.unlink()
    buckets.wait("photos", "delete", timeout=20)


def test_a_bucket_may_be_retained(buckets: ResourceClient[Bucket], storage: StorageService) -> None:
    buckets.create(bucket(when_deleted="Retain"))
    there = buckets.wait("photos", "condition=Ready", timeout=20)

    buckets.delete("photos")
    buckets.wait("photos", "delete", timeout=20)

    assert (storage.folder / name_of(there)).is_dir()


def test_what_fails_is_said_and_tried_again(buckets: ResourceClient[Bucket], storage: StorageService) -> None:
    storage.down = True
    buckets.create(bucket())
    failed = buckets.wait("photos", "condition=Ready=False", timeout=20)
    assert "down for maintenance" in ready(failed).message

    storage.down = False
    buckets.wait("photos", "condition=Ready", timeout=20)


def test_what_somebody_removed_out_there_comes_back(buckets: ResourceClient[Bucket], storage: StorageService) -> None:
    buckets.create(bucket())
    there = buckets.wait("photos", "condition=Ready", timeout=20)
    storage.down = True
    buckets.wait("photos", "condition=Ready=False", timeout=20)
    shutil.rmtree(storage.folder / name_of(there))

    storage.down = False
    buckets.wait("photos", "condition=Ready", timeout=20)

    assert (storage.folder / name_of(there)).is_dir()


def test_it_runs_with_the_rights_it_asks_for_and_no_others(rbac_server: Server, storage: StorageService) -> None:
    def make(config):
        return make_manager(config, storage=storage.url, look_again=SOON)

    with strictly(rbac_server, make, CRD) as strict, strict.manager:
        buckets = strict.admin.resource(Bucket, "default")
        buckets.create(bucket())
        there = buckets.wait("photos", "condition=Ready", timeout=20)
        (storage.folder / name_of(there) / "cat.jpg").write_bytes(b"meow")
        buckets.delete("photos")
        strict.wait_for_event("NotDeleted")
        (storage.folder / name_of(there) / "cat.jpg").unlink()
        buckets.wait("photos", "delete", timeout=20)


@pytest.mark.embedded
def test_the_service_guards_what_it_holds(storage: StorageService) -> None:
    client = StorageClient(storage.url)
    client.ensure("a", owner="me", quota=1)

    with pytest.raises(Refused, match="belongs to me"):
        client.ensure("a", owner="you", quota=1)
    with pytest.raises(Refused, match="belongs to me"):
        client.delete("a", owner="you")
    with pytest.raises(StorageError, match="404"):
        client.ensure("UPPER", owner="me", quota=1)
    client.delete("a", owner="me")
    client.delete("a", owner="me")
