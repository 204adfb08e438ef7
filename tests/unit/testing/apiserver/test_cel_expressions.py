"""Expressions: what they give, how they fail, and what is said of those that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from k8srt.testing.apiserver.cel.failures import CompileError, EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.program import compile_program
from k8srt.testing.apiserver.cel.types import BOOL, DYN, INT, STRING, Type, list_of, map_of
from k8srt.testing.apiserver.cel.values import NONE, Optional, UInt

VARIABLES: dict[str, Type] = {"self": DYN, "l": list_of(INT), "s": STRING, "m": map_of(STRING, INT)}
VALUES: dict[str, Any] = {
    "self": {"a": {"b": 1}, "none": None, "k": {"x": 1}},
    "l": [1, 2, 3],
    "s": "abc",
    "m": {"one": 1},
}


def value_of(source: str) -> Any:
    return compile_program(source, VARIABLES).evaluate(VALUES)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("0x1F", 31),
        ("2u + 3u", UInt(5)),
        ("1.5e1", 15.0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("'a' + \"b\"", "ab"),
        (r"r'\d' + '\x41\u00e9\n'", "\\dA\xe9\n"),
        ('"""two\nlines"""', "two\nlines"),
        (r"b'\xff' + b'a'", b"\xffa"),
        ("[1, 2] + [3]", [1, 2, 3]),
        ("{'a': 1, 2: true}", {"a": 1, 2: True}),
        ("1 < 2.5 && 2u > 1", True),
        ("dyn(1) == 1.0", True),
        ("dyn(1) == dyn('1')", False),
        ("dyn(true) == dyn(1)", False),
        ("[1, [2]] == [1, [2]]", True),
        ("2 in l", True),
        ("'one' in m && !('two' in m)", True),
        ("true ? 'x' : 'y'", "x"),
        ("!true || !!true", True),
        ("l[0] + m['one'] + m.one", 3),
        ("type(1) == int && type('') != int", True),
        ("// all of it\n1", 1),
    ],
)
def test_operators_and_literals(source: str, value: Any):
    found = value_of(source)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("self.nothing == 1 || true", True),
        ("true || self.nothing == 1", True),
        ("self.nothing == 1 && false", False),
        ("l.exists(i, 1 / (i - 1) > 0)", True),
        ("l.all(i, 1 / (i - 1) > 5)", False),
        ("false ? self.nothing : 1", 1),
    ],
)
def test_an_error_counts_only_where_it_decides(source: str, value: Any):
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("l[3]", "index out of bounds: 3"),
        ("self.a.c", "no such key: c"),
        ("m['two']", "no such key: two"),
        ("self.a + 1", "no such overload"),
        ("self.nothing && true", "no such key: nothing"),
        ("int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("optional.none().value()", "optional.none() dereference"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key a"),
    ],
)
def test_what_has_no_value_says_why(source: str, text: str):
    with pytest.raises(EvaluationError) as caught:
        value_of(source)

    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("has(self.a.b) && !has(self.a.c) && has(self.none)", True),
        ("l.all(i, i > 0)", True),
        ("l.exists_one(i, i == 2)", True),
        ("l.map(i, i * i)", [1, 4, 9]),
        ("l.map(i, i > 1, i * i)", [4, 9]),
        ("l.filter(i, i != 2)", [1, 3]),
        ("m.all(k, k == 'one')", True),
        ("m.all(k, v, v == 1 && k == 'one')", True),
        ("l.exists(i, v, i == 2 && v == 3)", True),
        ("l.transformList(i, v, i > 0, v * 10)", [20, 30]),
        ("m.transformMap(k, v, v + 1)", {"one": 2}),
        ("cel.bind(x, 2, x * x)", 4),
        ("[1].map(x, [2].map(y, x + y))", [[3]]),
    ],
)
def test_macros(source: str, value: Any):
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("s.startsWith('a') && s.endsWith('c') && s.contains('b')", True),
        ("s.matches('^[a-c]+$') && matches(s, 'b')", True),
        ("size(s) + s.size() + l.size() + size(m)", 10),
        ("'Hé'.lowerAscii() + 'aé'.upperAscii()", "héAé"),
        ("'a,b,c'.split(',')", ["a", "b", "c"]),
        ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
        ("['x', 'y'].join('-') + ['x', 'y'].join()", "x-yxy"),
        ("'abcabc'.indexOf('c') + 'abcabc'.lastIndexOf('c') + 'abc'.indexOf('z')", 6),
        ("'abc'.substring(1) + 'abc'.substring(0, 1) + 'abc'.charAt(3)", "bca"),
        ("'aaa'.replace('a', 'b', 2) + ' x '.trim()", "bbax"),
        ("'a1b22'.find('[0-9]+') + 'a1b22'.findAll('[0-9]+')[1]", "122"),
        ("'%s %d %.2f %x %b %s %%'.format(['a', 7, 1.5, 255, 5, [1, 'b']])", "a 7 1.50 ff 101 [1, b] %"),
        ("'%s'.format([{'b': null, 'a': duration('90s')}])", "{a: 90s, b: null}"),
        ("string(1) + string(1.0) + string(true) + string(b'x')", "11truex"),
        ("int('7') + int(2.9) + int(3u)", 12),
        ("double('1.5') + double(1)", 2.5),
        ("bool('true')", True),
        ("string(base64.decode(base64.encode(b'hi')))", "hi"),
    ],
)
def test_texts_and_conversions(source: str, value: Any):
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("duration('1h30m') + duration('-30m')", timedelta(hours=1)),
        ("duration('1h30m').getMinutes()", 90),
        ("string(duration('1.5s'))", "1.5s"),
        ("timestamp('2024-01-02T03:04:05Z') + duration('1s')", datetime(2024, 1, 2, 3, 4, 6, tzinfo=UTC)),
        ("timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z')", timedelta(days=1)),
        ("timestamp('2024-01-02T03:04:05Z').getFullYear()", 2024),
        ("timestamp('2024-01-02T03:04:05Z').getHours('-02:00')", 1),
        ("timestamp('2024-01-07T00:00:00Z').getDayOfWeek()", 0),
        ("string(timestamp('2024-01-02T03:04:05+01:00'))", "2024-01-02T02:04:05Z"),
        ("timestamp('2024-01-02T03:04:05Z') > timestamp('2023-01-02T03:04:05Z')", True),
        ("quantity('1Gi').isGreaterThan(quantity('500Mi'))", True),
        ("quantity('200m').add(quantity('800m')).asInteger()", 1),
        ("isQuantity('1Gi') && !isQuantity('1Gx')", True),
        ("isURL('https://a.b/c') && !isURL('no url')", True),
        ("url('https://u@a.b:80/c?x=1').getHost() + url('https://a.b:80/c?x=1').getQuery()['x'][0]", "a.b:801"),
        ("ip('10.0.0.1').family() + cidr('10.0.0.0/8').prefixLength()", 12),
        ("cidr('10.0.0.0/8').containsIP('10.2.3.4') && !cidr('10.0.0.0/8').containsCIDR('11.0.0.0/9')", True),
        ("isIP('::1') && !isIP('1.2.3') && isCIDR('1.0.0.0/8')", True),
        ("semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))", True),
        ("semver('v1.2', true).minor()", 2),
        ("format.dns1123Label().validate('A_b').hasValue()", True),
        ("format.named('uuid').hasValue() && !format.named('x').hasValue()", True),
        ("sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])", True),
        ("[3, 1, 2].sort() == [1, 2, 3] && [1, 2].isSorted() && l.sum() == 6", True),
        ("l.min() + l.max() + l.indexOf(3)", 6),
        ("math.greatest(1, 5, 2)", 5),
    ],
)
def test_times_quantities_addresses_and_lists(source: str, value: Any):
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("self.?a.?b", Optional(True, 1)),
        ("self.?x.?b", NONE),
        ("self.?x.b.orValue(7)", 7),
        ("l[?9].orValue(0) + l[?0].value()", 1),
        ("optional.of(1).or(optional.of(2)).value()", 1),
        ("self.?a.b.optMap(x, x + 1).value()", 2),
        ("[?optional.none(), 1, ?optional.of(2)]", [1, 2]),
        ("{?'a': optional.none(), 'b': 1}", {"b": 1}),
    ],
)
def test_values_that_may_be_missing(source: str, value: Any):
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("s + 1", "1:3: found no matching overload for '_+_' applied to '(string, int)'"),
        ("s.foo()", "1:6: undeclared reference to 'foo' (in container '')"),
        ("s.size(1)", "1:7: found no matching overload for 'size' applied to 'string.(int)'"),
        ("who", "1:1: undeclared reference to 'who' (in container '')"),
        ("l.exists(i, i == 'a')", "1:15: found no matching overload for '_==_' applied to '(int, string)'"),
        ("l.all(i, i)", "1:10: expected type 'bool' but found 'int'"),
        ("1 ? 2 : 3", "1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'"),
        ("s.b", "1:2: type 'string' does not support field selection"),
        ("s >", "1:4: Syntax error: mismatched input '<EOF>'"),
        ("(1", "1:3: Syntax error: missing ')' at '<EOF>'"),
        ("1\n  + @", "2:5: Syntax error: token recognition error at: '@'"),
        ("l.all(1, true)", "1:7: argument must be a simple name"),
        ("has(s)", "1:4: invalid argument to has() macro"),
        ("if", "1:1: reserved identifier: if"),
    ],
)
def test_what_cannot_be_used_is_shown_where_it_is_wrong(source: str, text: str):
    with pytest.raises(CompileError) as caught:
        compile_program(source, VARIABLES)

    assert f"ERROR: <input>:{text}\n | " in str(caught.value)


def test_a_complaint_points_at_its_place():
    with pytest.raises(CompileError) as caught:
        compile_program("s + 1", VARIABLES)

    assert str(caught.value).splitlines()[1:] == [" | s + 1", " | ..^"]


def test_a_result_of_the_wrong_type_is_refused():
    with pytest.raises(ValueError, match="must evaluate to bool"):
        compile_program("1 + 1", {}, BOOL)


def test_what_is_not_built_is_told_apart_from_what_is_wrong():
    with pytest.raises(NotEvaluated, match="regular expression"):
        compile_program(r"s.matches('\\p{Greek}')", VARIABLES)
    with pytest.raises(NotEvaluated):
        compile_program("authorizer.group('').allowed()", {"authorizer": DYN})


def test_an_evaluation_that_takes_too_long_is_stopped():
    program = compile_program("l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d > 0))))", {"l": list_of(INT)})

    with pytest.raises(EvaluationError, match="actual cost limit exceeded"):
        program.evaluate({"l": list(range(1, 40))})


def test_nesting_has_an_end():
    with pytest.raises(CompileError, match="recursion limit"):
        compile_program("(" * 300 + "1" + ")" * 300, {})
