"""What docs/manifests.md shows is run as it stands, one statement after the other, and is what its comments say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "manifests.md"
CODE = "".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.cluster
def test_the_snippets_do_what_they_say(own_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    checked = 0
    with Clientset(own_server.config) as cs:
        names: dict[str, Any] = {"cs": cs}
        for statement in ast.parse(CODE).body:
            source = ast.get_source_segment(CODE, statement) or ""
            said = re.match(r" +# (\{.*?\})", CODE.splitlines()[statement.end_lineno - 1][statement.end_col_offset :])
            if said is None:
                exec(source, names)
            else:
                assert eval(source, names) == eval(said[1]), source
                checked += 1

    assert checked == 4
    assert capsys.readouterr().out.splitlines() == ["namespace/shop created", "configmap/settings created", "ADDED job"]
