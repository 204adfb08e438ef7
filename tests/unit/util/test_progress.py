from __future__ import annotations

import io
import sys

import pytest

from k8srt.util.progress import Line, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_says_what_is_done(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    out = io.StringIO()

    bar = progress_bar(2, out, what="applying", unit="object")
    bar.step("pod/a created")
    bar.close()

    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["applying", "░" * 24, "0/2"],
        ["applying", "█" * 12 + "░" * 12, "1/2", "pod/a", "created"],
    ]


@pytest.mark.parametrize(("out", "written"), [(io.StringIO(), "a\nb\n"), (Terminal(), "\r\033[Ka\r\033[Kb\n")])
def test_a_line_is_written_over_on_a_terminal(out, written):
    line = Line(out)
    line.show("a")
    line.show("b")
    line.close()

    assert out.getvalue() == written
