"""`Literal` in models: strict with what is made here, lenient with what comes from a server."""

# ruff: noqa: F821, UP037 - the linter knows the `Literal` of typing only

from __future__ import annotations

import msgspec
import pytest

from k8srt.apimachinery import wire
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import Literal, Struct, field, unset
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.structure import structure_of
from k8srt.errors import DecodeError


class BoxSpec(Struct):
    size: Literal["small", "large"] = unset
    step: Literal[1, 2] = unset
    either: Literal["a", 1] = unset
    sizes: list[Literal["small", "large"]] = field(list_type="set")
    by_name: dict[str, Literal["small"]] = unset
    note: str = unset


class Box(Object, gvk="example.com/v1/Box", resource="boxes"):
    metadata: ObjectMeta = unset
    spec: BoxSpec = unset


def box(**spec):
    return Box.from_dict({"metadata": {"name": "a"}, "spec": spec})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"size": "huge"}, r"spec\.size: expected one of 'small', 'large', got 'huge'"),
        ({"step": 3}, r"spec\.step: expected one of 1, 2, got 3"),
        ({"either": "b"}, r"spec\.either: expected one of 'a', 1, got 'b'"),
        ({"sizes": ["small", "huge"]}, r"spec\.sizes\[1\]: expected one of"),
        ({"by_name": {"x": "large"}}, r"spec\.byName\[x\]: expected one of 'small', got 'large'"),
        ({"size": 1}, r"spec\.size: expected one of 'small', 'large', got 1"),
        ({"step": True}, r"spec\.step: expected one of 1, 2, got True"),
    ],
)
def test_another_value_is_refused_in_an_object_made_here(spec, message):
    made = Box(metadata=ObjectMeta(name="a"), spec=BoxSpec(**spec))

    with pytest.raises(DecodeError, match=message):
        made.encode()


def test_what_is_among_the_values_is_written():
    spec = BoxSpec(size="small", step=2, either=1, sizes=["large"], by_name={"x": "small"})

    assert Box(spec=spec).to_dict()["spec"] == {
        "size": "small",
        "step": 2,
        "either": 1,
        "sizes": ["large"],
        "byName": {"x": "small"},
    }


def test_a_value_that_a_newer_server_knows_is_read_and_written_back():
    got = box(size="huge", sizes=["huge"])

    assert got.spec.size == "huge"
    got.spec.note = "seen"

    assert got.to_dict()["spec"] == {"size": "huge", "sizes": ["huge"], "note": "seen"}


def test_a_wrong_value_put_into_a_good_object_is_refused():
    got = box(size="small")
    got.spec.size = "huge"

    with pytest.raises(DecodeError, match="expected one of"):
        got.encode()


def test_a_value_of_another_type_is_refused_when_read():
    with pytest.raises(DecodeError, match=r"spec\.size: expected one of 'small', 'large', got 1"):
        box(size=1).spec.size


def test_the_same_values_are_the_same_type_and_one_value_needs_no_comma():
    assert Literal["a", "b"] is Literal["a", "b"]
    assert Literal["a"].choices == ("a",)
    assert repr(Literal["a", "b"]).count("Literal['a', 'b']") == 1


def test_structures_see_texts_and_numbers():
    fields = structure_of(BoxSpec).fields

    assert (fields["size"].kind, fields["step"].kind, fields["either"].kind) == ("string", "integer", "any")
    assert fields["sizes"].items.kind == "string"


def test_a_struct_alone_is_read_leniently():
    assert BoxSpec.from_dict({"size": "huge"}).size == "huge"
    with pytest.raises(msgspec.ValidationError, match="Expected one of"):
        wire.checker(BoxSpec).decode(b'{"size":"huge"}')
