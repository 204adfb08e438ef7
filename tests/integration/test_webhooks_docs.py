"""What docs/webhooks.md shows is run as it stands, on a port that is free."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


def test_the_example_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]

    exec(compile(code.replace("19443", str(port)), str(PAGE), "exec"), {"__name__": "webhooks"})

    promised = [text.strip() for text in re.findall(r"print\(.*\) +# (.*)", code)]
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == 2
