"""The same as a program: `python -m k8srt.examples.sample_controller_runtime --kubeconfig ~/.kube/config`."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from k8srt.controller import Controller, Manager
from k8srt.errors import K8srtError, NotFound
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.tools.clientcmd.loading import load_config

from ..sample_controller.foo.api.v1alpha1 import Foo
from .controller import COMPONENT, Foos

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns 0 after a stop, 1 when it couldn't start."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    try:
        config = load_config(args.kubeconfig, context=args.context).config
        run(config, namespace=args.namespace, workers=args.workers)
    except (K8srtError, OSError) as err:
        print(f"{COMPONENT}: {err}", file=sys.stderr)
        return 1
    return 0


def run(config: Config, *, namespace: str = "", workers: int = 2, stop: threading.Event | None = None) -> None:
    """Run the controller until a signal or until `stop` is set, and return when all its threads have ended.

    Raises a K8srtError when the server can't be reached, or doesn't know what a Foo is.
    """
    with Clientset(config) as cs:
        _check_that_foos_are_served(cs, namespace)
    mgr = Manager(config, namespace=namespace)
    Foos(mgr, workers=workers)

    def say(stop: threading.Event) -> None:
        log.info("running with %d workers", workers)
        stop.wait()

    mgr.add(say)
    mgr.run(stop)
    log.info("stopped")


@contextmanager
def running(cs: Clientset, *, namespace: str = "", workers: int = 2) -> Iterator[Controller]:
    """The controller, running within the block. "" means all namespaces."""
    mgr = Manager(cs, namespace=namespace)
    foos = Foos(mgr, workers=workers)
    with mgr:
        yield foos.controller


def _check_that_foos_are_served(cs: Clientset, namespace: str) -> None:
    """Ask once: a wrong address, a missing right or CRD is said now, in one line."""
    try:
        cs.resource(Foo, namespace).list(limit=1)
    except NotFound as err:
        raise K8srtError("the server doesn't serve Foos; apply crd.yaml first") from err


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMPONENT, description="Gives each Foo the Deployment it asks for.")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl does, or in-cluster")
    parser.add_argument("--context", default="", help="default: the current one")
    parser.add_argument("--namespace", default="", help="the one to work in; default: all")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="Foos worked on at the same time (2)")
    return parser
