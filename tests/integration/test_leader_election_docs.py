"""What docs/leaderelection.md shows is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.tools.leaderelection import NotLeaderError

pytestmark = pytest.mark.embedded

PAGE = Path(__file__).resolve().parents[2] / "docs" / "leaderelection.md"
ELECTION, GUARD, CLIENT = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_snippets_do_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "leaderelection", "write": lambda: pytest.fail("written without leading")}

    exec(compile(ELECTION, str(PAGE), "exec"), names)
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "leading no more",
        "leading, term 0",
        f"the leader is {names['identity']}",
    ]
    with pytest.raises(NotLeaderError):
        exec(compile(GUARD, str(PAGE), "exec"), names)
    exec(compile(CLIENT, str(PAGE), "exec"), names)
    assert repr(names["lock"]) == "<LeaseLock default/foo-controller for host_1>"
