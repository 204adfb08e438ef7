"""`python -m benchmarks NAME [--json FILE] …`: run one set of measurements."""

from __future__ import annotations

import importlib
import sys

NAMES = ("api", "apiserver", "cache", "informer", "objects", "rest", "runtime", "workqueue")


def main(argv: list[str]) -> int:
    if not argv or argv[0] not in NAMES:
        print(f"usage: python -m benchmarks {'|'.join(NAMES)} [options]", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"benchmarks.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
