"""Conversions: by a hub, by a converter, and what may not happen on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.serving import figures
from k8srt.controller.webhook import ConversionError, ConversionWebhook, HTTPRequest, is_convertible, round_trip
from k8srt.controller.webhook.conversion import Converters
from tests.unit.controller.webhook.kinds import Lone, PartV1, PlainV1, TankV1, TankV1beta1, TwoV1

JSON = dict[str, Any]


META = {"name": "a", "namespace": "n", "uid": "u-7", "labels": {"l": "1"}, "finalizers": ["f/x"]}


def tank(version: str, **spec: Any) -> JSON:
    return {"apiVersion": f"conv.test/{version}", "kind": "Tank", "metadata": META, "spec": spec}


def review(*objects: Any, to: str = "conv.test/v1", version: str = "v1") -> bytes:
    request = {"uid": "r-1", "desiredAPIVersion": to, "objects": list(objects)}
    api = f"apiextensions.k8s.io/{version}"
    return json.dumps({"kind": "ConversionReview", "apiVersion": api, "request": request}).encode()


def post(body: bytes, webhook: ConversionWebhook | None = None) -> Any:
    return (webhook or ConversionWebhook()).handle(HTTPRequest("POST", "/convert", body=body))


def answer(body: bytes, webhook: ConversionWebhook | None = None) -> JSON:
    response = post(body, webhook)
    assert response.code == 200
    found: JSON = json.loads(response.body)
    return found


# ---- CNV-01


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_cnv_01_objects_come_back_in_their_order(version: str) -> None:
    beta, alpha = tank("v1beta1", volume="3 l"), tank("v1alpha1", size=5)

    found = answer(review(beta, alpha, version=version))

    assert (found["kind"], found["apiVersion"]) == ("ConversionReview", f"apiextensions.k8s.io/{version}")
    assert "request" not in found
    assert found["response"]["uid"] == "r-1"
    assert found["response"]["result"] == {"status": "Success"}
    assert found["response"]["convertedObjects"] == [tank("v1", size=3, unit="l"), tank("v1", size=5, unit="l")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"kind": "AdmissionReview"}',
        b'{"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1"}',
        b'{"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v3", "request": {}}',
    ],
)
def test_cnv_01_what_is_no_review_is_400(body: bytes) -> None:
    assert post(body).code == 400


def test_cnv_01_one_failure_fails_all() -> None:
    response = answer(review(tank("v1beta1", volume="3 l"), tank("v1beta1", volume="much")))["response"]

    assert response["uid"] == "r-1"
    assert response["result"] == {"status": "Failure", "message": "volume: 'much' is no number"}
    assert response["convertedObjects"] == []


@pytest.mark.parametrize("odd", [7, {}, {"apiVersion": "a/b/c", "kind": "Tank"}, tank("v1beta1", volume=7)])
def test_cnv_01_odd_objects_are_failures(odd: Any) -> None:
    assert answer(review(odd))["response"]["result"]["status"] == "Failure"


# ---- CNV-02


def test_cnv_02_from_the_hub_to_the_hub_and_between_spokes() -> None:
    converters = Converters()
    hub, beta = tank("v1", size=3, unit="l"), tank("v1beta1", volume="3 l")

    assert converters.convert(hub, "conv.test/v1beta1") == beta
    assert converters.convert(beta, "conv.test/v1") == hub
    assert converters.convert(beta, "conv.test/v1alpha1")["spec"] == {"size": 3}


@pytest.mark.parametrize(
    ("document", "to", "text"),
    [
        (tank("v1", size=1), "conv.test/v1", "same type"),
        (tank("v1", size=1), "other.test/v1", "another group"),
        (tank("v9", size=1), "conv.test/v1", "neither the hub nor a spoke"),
        (tank("v1", size=1), "conv.test/v9", "neither the hub nor a spoke"),
        ({"apiVersion": "conv.test/v1", "kind": "Two"}, "conv.test/v2", "has 2 hubs"),
        ({"apiVersion": "conv.test/v1", "kind": "Plain"}, "conv.test/v2", "has 0 hubs"),
        ({"apiVersion": "conv.test/v2", "kind": "Part"}, "conv.test/v1", "neither the hub nor a spoke"),
    ],
)
def test_cnv_02_what_cannot_be_converted_is_an_error(document: JSON, to: str, text: str) -> None:
    with pytest.raises(ConversionError, match=text):
        Converters().convert(document, to)


def test_cnv_02_a_converter_comes_first() -> None:
    converters = Converters()

    def convert(src: Object, dst: Object) -> None:
        assert isinstance(src, TankV1beta1)
        assert isinstance(dst, TankV1)
        dst.spec.size = 99

    converters.register(TankV1, convert)

    assert converters.convert(tank("v1beta1", volume="1 l"), "conv.test/v1") == tank("v1", size=99)
    with pytest.raises(ValueError, match=r"a converter for Tank\.conv\.test already"):
        converters.register(TankV1beta1, convert)


def test_cnv_02_a_converter_works_without_classes() -> None:
    class Converter:
        def convert(self, src: Unstructured, dst: Unstructured) -> Unstructured:
            dst["spec"] = {"version": dst.api_version, **src["spec"]}
            return dst

    converters = Converters()
    converters.register(GroupKind("conv.test", "Ghost"), Converter())
    ghost = {"apiVersion": "conv.test/v1", "kind": "Ghost", "metadata": META, "spec": {"a": 1}}

    found = converters.convert(ghost, "conv.test/v2")

    assert found == {**ghost, "apiVersion": "conv.test/v2", "spec": {"version": "conv.test/v2", "a": 1}}
    with pytest.raises(TypeError, match="a converter is"):
        converters.register(GroupKind("conv.test", "Other"), 7)


# ---- CNV-03


def test_cnv_03_a_kind_is_convertible_when_all_its_versions_are() -> None:
    assert is_convertible(TankV1) is is_convertible(TankV1beta1) is True
    assert is_convertible(Lone) is False
    assert is_convertible(PlainV1) is False


def test_cnv_03_what_is_partly_so_is_an_error_that_says_what_lacks() -> None:
    with pytest.raises(ValueError, match=r"Part\.conv\.test .* without convert_to and convert_from: v2"):
        is_convertible(PartV1)
    with pytest.raises(ValueError, match="hubs: v1, v2"):
        is_convertible(TwoV1)


# ---- CNV-04


class Told(figures.WebhookFigures):
    def __init__(self) -> None:
        self.conversion_panics = 0

    def conversion_panic(self) -> None:
        self.conversion_panics += 1


@pytest.fixture
def told() -> Iterator[Told]:
    provider = Told()
    before = figures.set_provider(provider)
    yield provider
    figures.set_provider(before)


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3)])
def test_cnv_04_a_converter_that_raises_gives_no_details(
    error: BaseException, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    webhook = ConversionWebhook()

    def broken(src: Object, dst: Object) -> None:
        raise error

    webhook.register(TankV1, broken)
    result = answer(review(tank("v1beta1", volume="1 l")), webhook)["response"]["result"]

    assert result["status"] == "Failure"
    assert result["message"] == "an internal error occurred during conversion; the log of the webhook has the details"
    assert told.conversion_panics == 1
    assert type(error).__name__ in caplog.text


def test_cnv_04_a_conversion_that_gives_nonsense_is_one_too(told: Told) -> None:
    webhook = ConversionWebhook()
    webhook.register(TankV1, lambda src, dst: 7)

    assert answer(review(tank("v1beta1", volume="1 l")), webhook)["response"]["result"]["status"] == "Failure"
    assert told.conversion_panics == 1


def test_cnv_04_a_refusal_is_no_panic(told: Told) -> None:
    answer(review(tank("v1beta1", volume="much")))

    assert told.conversion_panics == 0


# ---- CNV-05


def test_cnv_05_metadata_is_carried_over_whatever_a_converter_does() -> None:
    found = Converters().convert(tank("v1", size=1), "conv.test/v1alpha1")

    assert found["metadata"] == {key: value for key, value in META.items() if key != "labels"}


def test_cnv_05_labels_and_annotations_are_the_converters() -> None:
    converters = Converters()

    def convert(src: Any, dst: Any) -> None:
        dst.metadata.labels["l"] = "2"
        dst.metadata.annotations = {"lost": src.spec.volume}
        dst.metadata.finalizers = []
        dst.metadata.name = "other"

    converters.register(TankV1, convert)

    found = converters.convert(tank("v1beta1", volume="1 l"), "conv.test/v1")

    assert found["metadata"] == {**META, "labels": {"l": "2"}, "annotations": {"lost": "1 l"}}


def test_cnv_05_round_trips_can_be_tested() -> None:
    faithful = Converters()

    def convert(src: Any, dst: Any) -> None:
        if isinstance(src, TankV1beta1):
            size, _, unit = src.spec.volume.partition(" ")
            dst.spec = {"size": int(size), "unit": unit}
        elif isinstance(dst, TankV1beta1):
            dst.spec = {"volume": f"{src.spec.size} {src.spec.unit}"}
        else:
            dst.spec = src.spec

    faithful.register(TankV1, convert)

    with pytest.raises(AssertionError, match=r"comes back from v1alpha1 with differences:\n(.*\n)?.*/spec/unit"):
        round_trip([TankV1.from_dict(tank("v1", size=3, unit="m"))])
    round_trip([TankV1beta1.from_dict(tank("v1beta1", volume="3 l"))], faithful)
    with pytest.raises(ValueError, match="no other version"):
        round_trip([Lone(metadata=ObjectMeta(name="a"))])
