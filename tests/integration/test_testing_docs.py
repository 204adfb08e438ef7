"""What docs/testing.md shows is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.embedded

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("code", SNIPPETS, ids=[str(number) for number in range(1, len(SNIPPETS) + 1)])
def test_the_snippets_do_what_they_say(code: str) -> None:
    exec(compile(code, str(PAGE), "exec"), {"__name__": "testing"})


def test_there_is_a_snippet_for_each_kind_of_cluster() -> None:
    text = "\n".join(SNIPPETS)

    assert "FakeClientset(" in text
    assert "APIServer()" in text
