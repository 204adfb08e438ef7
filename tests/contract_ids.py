"""Which ids of the behaviour contract have neither a test that names them nor a line in docs/deviations.md.

    python tests/contract_ids.py cache reflector informer workqueue

prints those of the given contract files, and ends with 1 if there are any. A test names ids by its name:
`test_cache_21_…`, `test_inf_24_and_25_…`, `test_inf_37_to_41_and_43_…`, `test_wq_60_pq_07_…`; or in its docstring, or
in that of its class: CACHE-49, or CACHE-49 to CACHE-59.
"""

from __future__ import annotations

import argparse
import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ROOT.parent / "shared" / "contract"

_DEFINED = re.compile(r"^[-*] \*\*([A-Z]+-\d+)\*\*", re.MULTILINE)
_WRITTEN = re.compile(r"\b([A-Z]+)-(\d+)(?:\s+to\s+\1-(\d+))?")
_GROUP = re.compile(r"([a-z]+)((?:_(?:\d+|and|to)(?=_|$))+)_?")
_DEFINITION = (ast.FunctionDef, ast.ClassDef)


def defined_in(text: str) -> list[str]:
    """The ids that a contract file lays down."""
    return _DEFINED.findall(text)


def ids_in_name(name: str) -> Iterator[str]:
    """The ids in the name of a test."""
    rest = name.removeprefix("test_")
    while (found := _GROUP.match(rest)) is not None:
        last, ranged = 0, False
        for part in found[2].split("_")[1:]:
            if part.isdigit():
                numbers = range(last + 1 if ranged else int(part), int(part) + 1)
                yield from (f"{found[1].upper()}-{number:02}" for number in numbers)
                last = int(part)
            ranged = part == "to"
        rest = rest[found.end() :].removeprefix("and_")


def ids_in_text(text: str) -> Iterator[str]:
    """The ids that prose mentions."""
    for prefix, first, last in _WRITTEN.findall(text):
        yield from (f"{prefix}-{number:02}" for number in range(int(first), int(last or first) + 1))


def ids_in_tests(source: str) -> Iterator[str]:
    """The ids that the tests of a module name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DEFINITION) and node.name.lower().startswith("test"):
            yield from ids_in_name(node.name)
            yield from ids_in_text(ast.get_docstring(node) or "")


def ids_in_table(text: str) -> Iterator[str]:
    """The ids in the first column of the rows of a table."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield from ids_in_text(line.split("|")[1])


@functools.cache
def named_by_tests(root: Path = ROOT) -> frozenset[str]:
    """The ids that any test names. Reading them all takes seconds, so it is done once."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((root / "tests").rglob("test_*.py")))
    return frozenset(each for source in sources for each in ids_in_tests(source))


def missing(names: Iterable[str], contract: Path = CONTRACT, root: Path = ROOT) -> list[str]:
    """The ids of these contract files that are neither tested nor excused, in the order of the files."""
    known = named_by_tests(root) | set(ids_in_table((root / "docs" / "deviations.md").read_text(encoding="utf-8")))
    wanted = (defined_in((contract / f"{name}.md").read_text(encoding="utf-8")) for name in names)
    return [each for ids in wanted for each in ids if each not in known]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="+", help="a file of the contract, without its ending")
    parser.add_argument("--contract", type=Path, default=CONTRACT, help="where the contract is")
    asked = parser.parse_args()
    left = missing(asked.name, asked.contract)
    print(*left, sep="\n", end="\n" if left else "")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
