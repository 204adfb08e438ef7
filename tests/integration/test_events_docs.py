"""What docs/events.md shows is run as it stands, one statement after the other, and is what its comments say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import Container, Pod, PodSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "events.md"
CODE = "".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))


@pytest.mark.idle
def test_the_snippets_do_what_they_say(own_server: Server) -> None:
    checked = 0
    with Clientset(own_server.config) as cs:
        spec = PodSpec(containers=[Container(name="main", image="app")])
        cs.core_v1.pods("default").create(Pod(metadata=ObjectMeta(name="web-0"), spec=spec))
        names: dict[str, Any] = {"cs": cs}
        for statement in ast.parse(CODE).body:
            source = ast.get_source_segment(CODE, statement) or ""
            said = re.match(r" +# (.*)", CODE.splitlines()[(statement.end_lineno or 0) - 1][statement.end_col_offset :])
            if said is None:
                exec(source, names)
            else:
                assert eval(source, names) == eval(said[1]), source
                checked += 1

    assert checked == 3
