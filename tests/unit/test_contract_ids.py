"""Every id of the contract is tested by name, or excused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract_ids import (
    ROOT,
    defined_in,
    ids_in_name,
    ids_in_table,
    ids_in_tests,
    ids_in_text,
    missing,
    named_by_tests,
)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "cache",
        "reflector",
        "users",
        "runtime",
        "informer",
        "workqueue",
        "rest",
        "clientcmd",
        "clients",
        "machinery",
        "leaderelection",
        "events",
    ],
)
def test_every_id_has_a_test_or_a_reason(shared: Path, name: str) -> None:
    assert missing([name], shared / "contract") == []


def test_what_is_said_to_come_has_not_come() -> None:
    """A row of docs/deviations.md that says "Not yet" goes when what it excuses is tested."""
    table = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8")
    coming = [line for line in table.splitlines() if line.startswith("|") and "| Not yet" in line]

    assert sorted(named_by_tests() & set(ids_in_table("\n".join(coming)))) == []


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_cache_21_unknown_values", ["CACHE-21"]),
        ("test_inf_24_and_25_updates", ["INF-24", "INF-25"]),
        ("test_inf_37_to_39_and_43_periods", ["INF-37", "INF-38", "INF-39", "INF-43"]),
        ("test_wq_27_28_delays", ["WQ-27", "WQ-28"]),
        ("test_wq_60_pq_07_the_priority", ["WQ-60", "PQ-07"]),
        ("test_refl_51_and_inf_65_an_informer_of_2_kinds", ["REFL-51", "INF-65"]),
        ("test_more_than_25_priorities", []),
    ],
)
def test_ids_in_the_names_of_tests(name: str, ids: list[str]) -> None:
    assert list(ids_in_name(name)) == ids


def test_ids_in_prose_and_tables() -> None:
    table = "| id | what |\n| --- | --- |\n| CACHE-74, INF-66 | none, see CACHE-01 |\ntext CACHE-02\n"

    assert list(ids_in_text("CACHE-07, and WQ-51 to WQ-53.")) == ["CACHE-07", "WQ-51", "WQ-52", "WQ-53"]
    assert list(ids_in_table(table)) == ["CACHE-74", "INF-66"]
    assert defined_in("- **CACHE-01** `key`\nsee **CACHE-02**\n- **INF-10** x") == ["CACHE-01", "INF-10"]


def test_ids_in_docstrings_of_tests() -> None:
    source = '''
class TestQueue:
    """What every queue does: CACHE-49."""
    def test_order(self):
        """CACHE-50"""
def helper():
    """CACHE-99"""
'''
    assert sorted(ids_in_tests(source)) == ["CACHE-49", "CACHE-50"]


def test_what_is_missing_is_told_in_order(tmp_path: Path) -> None:
    for folder in ("docs", "tests", "contract"):
        (tmp_path / folder).mkdir()
    (tmp_path / "contract" / "x.md").write_text("- **X-01** a\n- **X-02** b\n- **X-03** c\n- **X-04** d\n")
    (tmp_path / "docs" / "deviations.md").write_text("| X-02 | other | why |\n")
    (tmp_path / "tests" / "test_x.py").write_text("def test_x_03_c(): ...\n")

    assert missing(["x"], tmp_path / "contract", tmp_path) == ["X-01", "X-04"]
