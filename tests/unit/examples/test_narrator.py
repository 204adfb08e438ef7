"""How the demo's lines look: times, names, colours only where they are wanted, tables."""

from __future__ import annotations

import io

import pytest

from k8srt.examples.demo.narrator import CLUSTER, YOU, Narrator, wants_colour
from k8srt.testing.clock import FakeClock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_says_when_and_who():
    clock, out = FakeClock(), io.StringIO()
    narrator = Narrator(out, clock=clock)

    clock.advance(1.5)
    narrator.say(YOU, "apply Foo apple")
    narrator.say(CLUSTER, "is gone", bad=True)

    assert out.getvalue() == "  1.50s  you         apply Foo apple\n  1.50s  cluster     is gone\n"


def test_numbers_stand_to_the_right_and_nothing_is_a_dash():
    out = io.StringIO()

    Narrator(out).table(("FOO", "AVAILABLE"), [("apple", 2), ("fig", None)])

    assert out.getvalue().splitlines() == ["", "FOO    AVAILABLE", "apple          2", "fig            –"]


def test_colours_need_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())


def test_no_color_and_dumb_terminals_are_respected(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())

    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Terminal())


def test_what_went_wrong_is_red_and_every_colour_ends():
    out = io.StringIO()

    Narrator(out, colour=True).say(YOU, "refused", bad=True)

    assert "\x1b[31mrefused\x1b[0m" in out.getvalue()
    assert out.getvalue().endswith("\x1b[0m\n")


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def flush(self):
        raise BrokenPipeError


def test_when_nobody_reads_it_falls_silent_and_says_so_when_asked():
    narrator = Narrator(Closed())
    narrator.check()

    narrator.say(YOU, "hello")
    narrator.say(YOU, "hello?")

    with pytest.raises(BrokenPipeError):
        narrator.check()
