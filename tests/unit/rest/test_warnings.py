"""Warning headers."""

from __future__ import annotations

import io
import logging

import pytest

from k8srt.rest.warnings import LoggingHandler, WritingHandler, handle_warnings, parse_warnings


def test_rest_35_headers_are_parsed() -> None:
    found = parse_warnings(
        [
            '299 - "plain"',
            '299 agent "say \\"hi\\"" "Mon, 02 Jan 2006 15:04:05 GMT", 110 a "stale"',
            '299 - "a, b"',
        ]
    )

    assert [tuple(one) for one in found] == [
        (299, "-", "plain"),
        (299, "agent", 'say "hi"'),
        (110, "a", "stale"),
        (299, "-", "a, b"),
    ]


@pytest.mark.parametrize("header", ["", "nonsense", '2999 - "x"', "299 - unquoted", '299 - "open'])
def test_rest_35_malformed_headers_are_skipped(header: str) -> None:
    assert parse_warnings([header]) == []


def test_rest_35_the_given_handler_gets_them() -> None:
    got: list[tuple[int, str, str]] = []

    handle_warnings(['299 - "one"'], lambda *warning: got.append(warning))

    assert got == [(299, "-", "one")]


def test_rest_35_the_log_gets_each_text_once_and_only_code_299(caplog: pytest.LogCaptureFixture) -> None:
    handler = LoggingHandler()

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            handler(299, "-", "deprecated")
        handler(110, "-", "stale")
        handler(299, "-", "")

    assert [record.getMessage() for record in caplog.records] == ["the server warns: deprecated"]


def test_rest_36_the_writing_handler() -> None:
    out = io.StringIO()
    handler = WritingHandler(out, deduplicate=True)
    repeating = WritingHandler(out, color=True)

    handler(299, "-", "a")
    handler(299, "-", "a")
    repeating(299, "-", "b")

    assert out.getvalue() == "Warning: a\n\x1b[33;1mWarning:\x1b[0m b\n"
    assert (handler.count, repeating.count) == (1, 1)


def test_a_handler_that_fails_costs_no_request(caplog: pytest.LogCaptureFixture) -> None:
    def broken(code: int, agent: str, text: str) -> None:
        raise RuntimeError("no")

    found = handle_warnings(['299 - "one"', '299 - "two"'], broken)

    assert [warning.text for warning in found] == ["one", "two"]
    assert "the handler of warnings failed for 'one'" in caplog.text
