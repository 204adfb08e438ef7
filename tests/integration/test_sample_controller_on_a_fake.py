"""A whole controller, with clients of its own making, on a fake: real informers and workers, no server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.examples import sample_controller
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo
from k8srt.examples.sample_controller.foo.client import Clientset
from k8srt.examples.sample_controller.main import running
from k8srt.testing import FakeClientset

pytestmark = pytest.mark.embedded

FOLDER = Path(sample_controller.__file__).parent


@pytest.fixture
def fake() -> Iterator[FakeClientset]:
    with FakeClientset(FOLDER / "crd.yaml", FOLDER / "example-foo.yaml", garbage_collection=True) as made:
        yield made


def deployment_of(fake: FakeClientset, foo: Foo) -> Deployment:
    """The deployment that the controller makes; waits for it on one watch."""
    deployments = fake.tracker.apps_v1.deployments(foo.metadata.namespace)
    with deployments.watch(resource_version="0", timeout_seconds=30) as events:
        for event in events:
            if event.object.metadata.name == foo.spec.deployment_name:
                return event.object
    raise AssertionError("no deployment came")


def test_a_foo_gets_its_deployment_and_both_go_together(fake: FakeClientset) -> None:
    [foo] = fake.resource(Foo).list()

    with running(Clientset(fake.config), workers=1):
        made = deployment_of(fake, foo)

    assert made.metadata.owner_references[0].uid == foo.metadata.uid
    assert made.spec.replicas == foo.spec.replicas
    name = f"default/{foo.spec.deployment_name}"
    assert f"create deployments.apps {name}" in fake.actions.lines()

    fake.resource(Foo, "default").delete(foo.metadata.name)

    with pytest.raises(errors.NotFound):
        fake.apps_v1.deployments("default").get(foo.spec.deployment_name)


def test_a_create_that_fails_is_tried_again(fake: FakeClientset) -> None:
    fake.fail("create", Deployment, errors.ServiceUnavailable, times=2)
    [foo] = fake.resource(Foo).list()

    with running(Clientset(fake.config), workers=1):
        deployment_of(fake, foo)

    assert len(fake.actions.where("create", Deployment)) == 3
