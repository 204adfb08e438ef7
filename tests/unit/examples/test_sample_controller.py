"""The parts of the sample controller that need no server: what is generated, what is wanted, who owns what."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.apimachinery import yamlio
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.owners import controller_of, is_controlled_by, new_controller_ref
from k8srt.codegen.package import package_files
from k8srt.examples.sample_controller import main
from k8srt.examples.sample_controller.deployment import deployment_for
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo, FooSpec

FOLDER = Path(main.__file__).parent


@pytest.fixture
def foo():
    meta = ObjectMeta(name="example", namespace="web", uid="u-1")
    return Foo(metadata=meta, spec=FooSpec(deployment_name="nginx", replicas=3))


def test_the_generated_package_is_what_the_generator_makes_of_the_definition():
    made = package_files(yamlio.load_all(main.crd()), "foo")

    found = {str(path.relative_to(FOLDER / "foo")): path.read_text() for path in (FOLDER / "foo").rglob("*.py")}
    assert {name: text for name, text in found.items() if text} == {name: text for name, text in made.items() if text}


def test_the_sample_manifest_is_a_foo():
    foo = Foo.from_yaml((FOLDER / "example-foo.yaml").read_text())

    assert foo.spec.deployment_name == "example-foo"
    assert foo.spec.replicas == 2


def test_the_wanted_deployment_selects_its_own_pods_and_belongs_to_the_foo(foo):
    deployment = deployment_for(foo)

    assert (deployment.metadata.namespace, deployment.metadata.name, deployment.spec.replicas) == ("web", "nginx", 3)
    assert deployment.spec.selector.match_labels == deployment.spec.template.metadata.labels
    assert is_controlled_by(deployment, foo)


def test_an_owner_reference_names_kind_name_and_uid(foo):
    owner = new_controller_ref(foo).to_dict()

    assert owner == {
        "apiVersion": "samplecontroller.k8s.io/v1alpha1",
        "kind": "Foo",
        "name": "example",
        "uid": "u-1",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def test_another_foo_of_the_same_name_does_not_control_the_deployment(foo):
    deployment = deployment_for(foo)

    foo.metadata.uid = "u-2"

    assert not is_controlled_by(deployment, foo)


def test_an_owner_that_is_no_controller_does_not_count(foo):
    deployment = deployment_for(foo)

    deployment.metadata.owner_references[0].controller = None

    assert controller_of(deployment) is None
