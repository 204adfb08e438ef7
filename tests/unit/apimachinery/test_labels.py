from __future__ import annotations

import pickle

import pytest

from k8srt.apimachinery import labels
from k8srt.apimachinery.labels import Operator, SelectorError, parse
from k8srt.apimachinery.meta import LabelSelector, LabelSelectorRequirement

WEB = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("k", "k"),
        ("!k", "!k"),
        ("k=v", "k=v"),
        ("k==v", "k==v"),
        ("k!=v", "k!=v"),
        ("k in (b,a)", "k in (a,b)"),
        ("k notin (b,a)", "k notin (a,b)"),
        ("k>1", "k>1"),
        ("k<1", "k<1"),
        ("k=", "k="),
        ("k in ()", "k in ()"),
        ("k in (,a)", "k in (,a)"),
        (" \tk\n =  v , ! x ", "k=v,!x"),
        ("in in (in,notin)", "in in (in,notin)"),
        ("z=1,a=2", "a=2,z=1"),
        ("example.com/name=v", "example.com/name=v"),
    ],
)
def test_mach_01_03_every_form_is_read_and_written(text, written):
    assert str(parse(text)) == written
    assert parse(written) == parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app=web", True),
        ("app==web", True),
        ("app=db", False),
        ("absent=", False),
        ("app!=db", True),
        ("absent!=db", True),
        ("absent notin (a)", True),
        ("app notin (web)", False),
        ("app in (web,db)", True),
        ("absent in (a)", False),
        ("absent in ()", False),
        ("app", True),
        ("absent", False),
        ("!absent", True),
        ("!app", False),
        ("app=web,tier=front", True),
        ("app=web,!tier", False),
    ],
)
def test_mach_02_matching(text, expected):
    assert parse(text).matches(WEB) is expected


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("n>1", "2", True),
        ("n>1", "1", False),
        ("n<2", "1", True),
        ("n<1", "-4", True),
        ("n>1", "many", False),
        ("n>1", "9223372036854775808", False),
        ("n>1", " 2", False),
    ],
)
def test_mach_02_numbers_are_compared_as_64_bit_integers(text, label, expected):
    assert parse(text).matches({"n": label}) is expected
    assert not parse(text).matches({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app===", "unable to parse requirement: found '=', expected: identifier"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("a b=c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("app=!!", "unable to parse requirement: found '!', expected: identifier"),
        ("app,,b", "found ',', expected: identifier after ','"),
        ("app ~ web", "unable to parse requirement: found '~', expected: in, notin, =, ==, !=, gt, lt"),
        (
            "app>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("a,", "found '', expected: identifier after ','"),
        (")", "found ')', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
    ],
)
def test_mach_04_errors_read_as_a_servers(text, message):
    with pytest.raises(SelectorError) as caught:
        parse(text)

    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["-a=b", "a_=b", "a/b/c=d", "/a=b", "a=b_", "a=" + "x" * 64, "x" * 64, "A.b/c=d"])
def test_mach_06_bad_keys_and_values_are_refused(text):
    with pytest.raises(SelectorError, match=r"unable to parse requirement: .*Invalid value"):
        parse(text)


@pytest.mark.parametrize("text", ["a=" + "x" * 63, "x" * 63, "a.b/C_d.e-f=1", "a=B"])
def test_mach_06_good_keys_and_values_are_taken(text):
    assert str(parse(text)) == text


def test_mach_04_requirements_are_checked_when_made():
    for operator, values in [("in", []), ("=", []), ("=", ["a", "b"]), ("exists", ["a"]), ("gt", ["1", "2"])]:
        with pytest.raises(SelectorError, match="values: Invalid value"):
            labels.requirement("k", operator, values)
    with pytest.raises(SelectorError, match="operator: Unsupported value"):
        labels.requirement("k", "like", ["a"])


def test_mach_05_everything_and_nothing():
    assert parse("") == labels.everything()
    assert parse(" ").empty
    assert labels.everything().matches({})
    assert not labels.nothing().matches({})
    assert not labels.nothing().empty
    assert str(labels.nothing()) == ""


def test_mach_07_from_a_set_of_labels():
    assert str(labels.from_set({"b": "2", "a": "1"})) == "a=1,b=2"
    assert labels.from_set({}).empty
    assert labels.from_set({"bad key": "bad value!"}).matches({"bad key": "bad value!"})
    with pytest.raises(SelectorError):
        labels.validated_selector_from_set({"bad key": ""})


def test_mach_08_label_selectors():
    selector = LabelSelector(
        match_labels={"app": "web"},
        match_expressions=[
            LabelSelectorRequirement(key="tier", operator="In", values=["front", "back"]),
            LabelSelectorRequirement(key="old", operator="DoesNotExist"),
        ],
    )
    text = "app=web,!old,tier in (back,front)"

    assert str(labels.label_selector_as_selector(selector)) == text
    assert str(labels.label_selector_as_selector(selector.to_dict())) == text
    assert labels.label_selector_as_selector(None) == labels.nothing()
    assert labels.label_selector_as_selector(LabelSelector()).empty
    assert labels.label_selector_as_selector({}).empty


def test_mach_08_formatting_label_selectors():
    assert labels.format_label_selector(LabelSelector()) == "<none>"
    assert labels.format_label_selector({"matchLabels": {"a": "b"}}) == "a=b"
    assert labels.format_label_selector({"matchExpressions": [{"key": "a", "operator": "Like"}]}) == "<error>"


@pytest.mark.parametrize(
    ("text", "value"),
    [("k=v", "v"), ("k==v", "v"), ("k in (v)", "v"), ("k in (v,w)", None), ("k!=v", None), ("x=v", None)],
)
def test_mach_09_the_only_value_that_can_match(text, value):
    assert parse(text).requires_exact_match("k") == value


def test_clients_may_write_a_selector_in_any_form():
    expected = parse("app=web")

    assert labels.as_selector("app=web") == expected
    assert labels.as_selector({"app": "web"}) == expected
    assert labels.as_selector({"matchLabels": {"app": "web"}}) == expected
    assert labels.as_selector(LabelSelector(match_labels={"app": "web"})) == expected
    assert labels.as_selector(expected) is expected
    assert labels.as_selector(None).empty


def test_selectors_are_values():
    one, other = parse("a=b,c"), parse("c,a=b")

    assert {one: 1}[other] == 1
    assert pickle.loads(pickle.dumps(one)) == one
    assert pickle.loads(pickle.dumps(labels.nothing())) == labels.nothing()
    assert one.add(labels.requirement("d", Operator.EXISTS)) == parse("a=b,c,d")
