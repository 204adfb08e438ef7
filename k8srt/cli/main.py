"""The `k8srt` command: one module per subcommand, loaded when it is the one asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from k8srt import __version__
from k8srt.errors import K8srtError

_COMMANDS = {
    "demo": "run the sample controller end to end and tell what it does",
    "apiserver": "run the embedded API server in the foreground",
    "generate": "write typed models, clients, informers and listers from CRDs or an OpenAPI document",
    "finalizers": "take finalizers off objects whose operator is gone",
    "rbac": "print the least rights that the controllers of a manager need",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed with a message, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = _parser(words).parse_args(words)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to tell
        return 1
    except (K8srtError, OSError) as err:
        print(f"k8srt {args.command}: {err}", file=sys.stderr)
        return 1


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="k8srt", description="Kubernetes for synchronous Python.")
    parser.add_argument("--version", action="version", version=f"k8srt {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, purpose in _COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"k8srt.cli.{name}").add_parser(commands)
        else:
            commands.add_parser(name, help=purpose)
    return parser


if __name__ == "__main__":
    sys.exit(main())
