"""JSONPath templates print what kubectl prints. Contract: CLI-55, CLI-56."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import K8srtError
from k8srt.util.jsonpath import JSONPath, JSONPathError, relaxed
from tests.jsonpaths import FAILING, MALFORMED, PRINTED, THING


@pytest.mark.parametrize(("template", "text"), PRINTED)
def test_cli_55_templates_print_what_kubectl_prints(template, text):
    assert JSONPath(template, allow_missing_keys=True).render(THING) == text


@pytest.mark.parametrize(("template", "message"), MALFORMED)
def test_cli_55_what_is_no_template_is_refused_when_it_is_made(template, message):
    with pytest.raises(JSONPathError) as caught:
        JSONPath(template)

    assert message in str(caught.value)


@pytest.mark.parametrize(("template", "message"), FAILING)
def test_cli_56_what_is_missing_out_of_bounds_or_not_comparable_is_an_error(template, message):
    with pytest.raises(JSONPathError) as caught:
        JSONPath(template).render(THING)

    assert message in str(caught.value)


def test_cli_56_a_missing_key_is_nothing_where_that_is_allowed_but_an_index_out_of_bounds_still_fails():
    assert JSONPath("{.nope}", allow_missing_keys=True).find(THING) == [[]]

    with pytest.raises(JSONPathError, match="index 9, length 5"):
        JSONPath("{.spec.nums[9]}", allow_missing_keys=True).find(THING)


def test_cli_56_maps_are_walked_and_printed_in_the_order_of_their_keys():
    assert JSONPath("{.spec.map.*} {.spec.map}").render(THING) == '2 1 {"a":2,"b":1}'
    assert JSONPath("{..x}").find(THING) == [[{"x": 1}, 1, "v", "w"]]


def test_cli_56_json_inside_is_written_as_go_writes_it():
    value = {
        "v": [{"t": "<&>\u2028é", "f": 3.0, "g": 1e22, "s": 1e-7, "m": 0.00001, "n": None, "b": False, "neg": -1.25}]
    }

    shown = JSONPath("{.v}").render(value)

    fields = r'"b":false,"f":3,"g":1e+22,"m":0.00001,"n":null,"neg":-1.25,"s":1e-7,"t":"\u003c\u0026\u003e\u2028é"'
    assert shown == f"[{{{fields}}}]"


def test_find_gives_the_values_of_each_text_and_each_action():
    found = JSONPath("n={.spec.nums[0:2]}{.spec.map}").find(THING)

    assert found == [["n="], [0, 1], [{"a": 2, "b": 1}]]


def test_objects_are_asked_for_their_plain_form():
    config = ConfigMap(metadata=ObjectMeta(name="c"), data={"k": "v"})

    assert JSONPath("{.kind}/{.metadata.name} {.data.k}").render(config) == "ConfigMap/c v"


@pytest.mark.parametrize("text", ["status.phase", ".status.phase", "{status.phase}", "{.status.phase}"])
def test_a_path_may_be_given_as_kubectl_wait_takes_it(text):
    assert relaxed(text) == "{.status.phase}"


@pytest.mark.parametrize("text", ["", "{.a}{.b}", "a{b}"])
def test_other_texts_are_no_path(text):
    with pytest.raises(JSONPathError, match="no path"):
        relaxed(text)


def test_the_error_is_one_of_the_library_and_a_value_error():
    assert issubclass(JSONPathError, (K8srtError, ValueError))
    assert repr(JSONPath("{.a}")) == "JSONPath('{.a}')"
