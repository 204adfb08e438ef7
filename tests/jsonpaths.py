"""An object, JSONPath templates, and what kubectl prints for them: for the unit tests, and to ask kubectl itself.

Contract: CLI-55, CLI-56.
"""

from __future__ import annotations

from typing import Any

THING: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "namespace": "default", "annotations": {"a.b/c": "dotted", "plain": "p"}},
    "spec": {
        "int": 3,
        "float": 1.5,
        "whole": 3.0,
        "big": 123456789.5,
        "huge": 1e22,
        "wide": 1e20,
        "small": 0.00001,
        "smaller": 1e-7,
        "yes": True,
        "null": None,
        "text": "a <b> & \u2028 é",
        "empty": "",
        "none": [],
        "nothing": {},
        "list": [{"x": "v", "n": 1, "ok": True}, {"x": "w", "n": 2}, {"y": 1.5, "n": 10, "s": "v)]"}],
        "nums": [0, 1, 2, 3, 4],
        "map": {"b": 1, "a": 2},
        "deep": {"x": {"x": 1}},
    },
}

PRINTED = [
    # text and literals
    ("plain", "plain"),
    ("a{.kind}b", "aThingb"),
    ("{.kind}}", "Thing}"),
    (r"""{"quoted"}{'single'}{"\"esc\""}{"\u00e9\x41\101\\\t"}""", 'quotedsingle"esc"éAA\\\t'),
    ("{1}{-1.5}{true}", "1-1.5true"),
    # fields
    ("{ .kind }{$.kind}{@.kind}", "ThingThingThing"),
    ("{['spec']['map']['a']}", "2"),
    (r"{.metadata.annotations.a\.b/c}", "dotted"),
    (r"{.metadata.annotations['a\.b/c']}", "dotted"),
    ("{.nope}{.spec.nope.deeper}{.spec.list.x}{.spec.int.x}{.}", ""),
    # values as text
    ("{.spec.int}|{.spec.float}|{.spec.whole}|{.spec.yes}|{.spec.null}", "3|1.5|3|true|null"),
    ("{.spec.big}|{.spec.huge}|{.spec.wide}", "1.234567895e+08|1e+22|1e+20"),
    ("{.spec.small}|{.spec.smaller}", "1e-05|1e-07"),
    ("{.spec.text}|{.spec.empty}|{.spec.none}|{.spec.nothing}", "a <b> & \u2028 é||[]|{}"),
    ("{.spec.map}", '{"a":2,"b":1}'),
    ("{.spec.text.*}", "97 32 60 98 62 32 38 32 226 128 168 32 195 169"),
    # lists
    ("{.spec.nums[*]}", "0 1 2 3 4"),
    ("{.spec.nums}", "[0,1,2,3,4]"),
    ("{.spec.list[0]}", '{"n":1,"ok":true,"x":"v"}'),
    ("{.spec.list[-1]}", '{"n":10,"s":"v)]","y":1.5}'),
    ("{.spec.list[-2].x}", "w"),
    ("{.spec.list[0:2].x}", "v w"),
    ("{.spec.nums[::2]}|{.spec.nums[1:]}|{.spec.nums[:-1]}|{.spec.nums[-3:-1]}", "0 2 4|1 2 3 4|0 1 2 3|2 3"),
    ("{.spec.nums[1:4:2]}|{.spec.nums[2:2]}|{.spec.null[0]}{.spec.null[*]}", "1 3||"),
    # unions
    ("{.spec.nums[0,2]}|{.spec.nums[0, -1]}", "0 2|0 4"),
    ("{.spec['int','yes']}|{.spec['int', 'yes']}", "3 true|3 true"),
    ("{.spec.list[*]['x','n']}", "v w 1 2 10"),
    # filters
    ("""{.spec.list[?(@.x=="v")].n}{.spec.list[?(@.x=='v')].n}{.spec.list[?(.x=="v")].n}""", "111"),
    ('{.spec.list[?( @.x == "v" )].n}', "1"),
    ('{.spec.list[?(@.x!="v")].n}', "2"),
    ("{.spec.list[?(@.n>1)].n}|{.spec.list[?(@.n>=2)].n}", "2 10|2 10"),
    ("{.spec.list[?(@.n<2)].n}|{.spec.list[?(@.n<=1)].n}", "1|1"),
    ("{.spec.list[?(@.y)].n}|{.spec.list[?(@.nope)].n}", "10|"),
    ("{.spec.list[?(@.ok==true)].n}|{.spec.list[?(@.y==1.5)].n}", "1|10"),
    ('{.spec.list[?(@.s=="v)]")].n}', "10"),
    ("{.spec.list[?(@.n==.n)].n}", "1 2 10"),
    ('{.spec.list[?(@.deep.nope=="v")].n}', ""),
    ("""{.spec.list[?(@.x=="v")]['n','x']}""", "1 v"),
    # every value, at any depth
    ("{.spec.deep.*}", '{"x":1}'),
    ("{.spec.deep..x}", '{"x":1} 1'),
    ("{.spec.map..}", '{"a":2,"b":1}'),
    ("{..n}", "1 2 10"),
    # ranges
    (r'{range .spec.list[*]}{.x}{"\t"}{.n}{"\n"}{end}', "v\t1\nw\t2\n\t10\n"),
    ("{range .spec.list[*]}[{.x}]{end}|{.kind}", "[v][w][]|Thing"),
    ("{range .spec.none[*]}[{.x}]{end}|{.kind}", "|Thing"),
    ("{range .spec.nope[*]}[{.x}]{end}|{.kind}", "|Thing"),
    ("{range .spec.list[*]}{range $['x','y']}<{@}>{end}{.n},{end}|{.kind}", "<v>1,<w>2,<1.5>10,|Thing"),
    ("{range .spec}{.int}{end}", "3"),
]
"""Templates and their texts, with missing keys allowed."""

FAILING = [
    ("{.nope}", "nope is not found"),
    ("{.spec.nope.deeper}", "nope is not found"),
    ("{.spec.null.x}", "x is not found"),
    ("{range .spec.list[*]}{.x}{end}", "x is not found"),
    ('{.spec.list[?(@.x=="v")].n}', "x is not found"),
    ("{.metadata.annotations['a.b/c']}", "a is not found"),
    ("{.spec.nums[5]}", "array index out of bounds: index 5, length 5"),
    ("{.spec.nums[-7]}", "array index out of bounds: index -2, length 5"),
    ("{.spec.nums[0:9]}", "array index out of bounds: index 8, length 5"),
    ("{.spec.nums[3:1]}", "starting index 3 is greater than ending index 1"),
    ("{.spec.nums[0:4:0]}", "step must be > 0"),
    ("{.spec.map[0]}", "is not array or slice"),
    ("{.spec.map[?(@.a==1)]}", "is not array or slice and cannot be filtered"),
    ('{.spec.list[?(@.n=="1")].n}', "incompatible types for comparison"),
    ("{.spec.list[?(@.n==1.0)].n}", "incompatible types for comparison"),
    ("{.spec.list[0:1][?(@.ok<true)]}", "is not array or slice and cannot be filtered"),
    ("{.spec['list'][?(@.n===1)]}", "unrecognized filter operator ==="),
    ("{.spec.nums[*][?(@)]}", "is not array or slice and cannot be filtered"),
    ("{end}", "not in range, nothing to end"),
    ("{range .spec.nums[*]}{@}{end}{end}", "not in range, nothing to end"),
]
"""Templates and why they fail, with missing keys an error."""

MALFORMED = [
    ('{"a', "unterminated quoted string"),
    ("{.kind", "unclosed action"),
    ("{{.kind}}", "unrecognized character in action"),
    ("{.kind,.metadata}", "unrecognized character in action"),
    ("{#}", "unrecognized character in action"),
    ("{.spec.deep..*}", "unrecognized character in action"),
    ("{.spec....x}", "invalid multiple recursive descent"),
    ("{foo}", "unrecognized identifier foo"),
    ("{.spec.list[?(@.x==v)]}", "unrecognized identifier v"),
    ('{.list["x"]}', 'invalid array index "x"'),
    ("{.list[a]}", "invalid array index a"),
    ("{.list[1:2:3:4]}", "invalid array index 1:2:3:4"),
    ("{.list[-]}", "array index - is not a number"),
    ("{.list[}", "unterminated array"),
    ('{.list[?(@.x=="v"}', "unterminated filter"),
    ('{.list[?(@.x=="v")}', "unclosed array expect ]"),
    ("{.list[?(@.n>1&&@.n<5)]}", "unrecognized character in action"),
    (r'{"\q"}', "unquote string"),
    ("{1.2.3}", "cannot parse number 1.2.3"),
]
"""What is no template, and why."""
