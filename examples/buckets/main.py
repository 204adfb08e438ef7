"""The controller as a program: `python -m k8srt.examples.buckets --storage http://storage:8080`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from k8srt.controller import Manager
from k8srt.errors import K8srtError
from k8srt.rest import Config
from k8srt.tools.clientcmd.loading import load_config

from .client import StorageClient
from .controller import LOOK_AGAIN, add_to


def make_manager(config: Config, *, storage: str = "http://127.0.0.1:8080", look_again: float = LOOK_AGAIN) -> Manager:
    """All of the program; it is what `k8srt rbac` looks at, too."""
    mgr = Manager(config)
    add_to(mgr, StorageClient(storage), look_again=look_again)
    return mgr


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="buckets", description="Keeps buckets in a storage service.")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl does, or in-cluster")
    parser.add_argument("--storage", required=True, metavar="URL", help="where the storage service is")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    try:
        make_manager(load_config(args.kubeconfig).config, storage=args.storage).run()
    except (K8srtError, OSError) as err:
        print(f"buckets: {err}", file=sys.stderr)
        return 1
    return 0
