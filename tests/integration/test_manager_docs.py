"""What docs/controllers.md shows of looking at a manager is run as it stands, on addresses that are free."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import Any

from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "controllers.md"


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20.0) as answer:
        return str(answer.read().decode())


def test_a_manager_is_looked_at_as_the_page_says(own_server: Server) -> None:
    section = PAGE.read_text().partition("\n## Health, figures")[2].partition("\n## ")[0]
    manager, figures = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    text = re.sub(r'"(127\.0\.0\.1)?:80\d\d"', '"127.0.0.1:0"', manager)
    text = text.replace('Election("foo-controller",', 'Election("foo-controller", "default",')

    names: dict[str, Any] = {"config": own_server.config}
    exec(compile(text, str(PAGE), "exec"), names)
    exec(compile(figures.partition("\nManager(")[0], str(PAGE), "exec"), names)
    with names["mgr"] as mgr:
        assert mgr.wait_elected(20.0)
        assert get(f"{mgr.health_url}/healthz") == "ok"
        assert "[+]caches ok" in get(f"{mgr.health_url}/readyz?verbose")
        assert 'foo_scaled_total{direction="up"} 1\n' in get(mgr.metrics_url)
        assert '"state": "running"' in get(f"{mgr.profiling_url}/debug")
    names["REGISTRY"].unregister("foo_scaled_total")
