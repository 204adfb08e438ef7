"""The reloader as a program: `python -m k8srt.examples.config_reloader --kubeconfig ~/.kube/config`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from k8srt.controller import Manager
from k8srt.errors import K8srtError
from k8srt.rest import Config
from k8srt.tools.clientcmd.loading import load_config

from .controller import add_to


def make_manager(config: Config, *, namespace: str = "") -> Manager:
    """All of the program; it is what `k8srt rbac` looks at, too."""
    mgr = Manager(config, namespace=namespace)
    add_to(mgr)
    return mgr


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="config-reloader", description="Restarts Deployments with new configuration.")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl does, or in-cluster")
    parser.add_argument("--namespace", default="", help="the one to work in; default: all")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    try:
        make_manager(load_config(args.kubeconfig).config, namespace=args.namespace).run()
    except (K8srtError, OSError) as err:
        print(f"config-reloader: {err}", file=sys.stderr)
        return 1
    return 0
