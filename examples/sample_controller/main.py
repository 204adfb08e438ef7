"""The sample controller as a program: `python -m k8srt.examples.sample_controller --kubeconfig ~/.kube/config`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources

from k8srt.errors import K8srtError, NotFound, Stopped
from k8srt.rest import Config
from k8srt.tools.clientcmd.loading import load_config
from k8srt.util.threads import Stop

from .controller import Controller
from .events import EventRecorder
from .foo.client import Clientset
from .foo.informers import SharedInformerFactory

log = logging.getLogger(__name__)

COMPONENT = "sample-controller"
RESYNC_PERIOD = 600.0  # seconds after which every Foo is looked at again, in case something was overlooked

QPS, BURST = 20.0, 30  # requests a second, and at once: the usual 5 and 10 are enough for a person only


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns 0 after a stop, 1 when it couldn't start."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = load_config(args.kubeconfig, context=args.context).config
        config.qps, config.burst = QPS, BURST
        run(config, namespace=args.namespace, workers=args.workers, stop=stop)
    except (K8srtError, OSError) as err:
        print(f"{COMPONENT}: {err}", file=sys.stderr)
        return 1
    return 0


def run(config: Config, *, namespace: str = "", workers: int = 2, stop: threading.Event) -> None:
    """Run the controller until `stop` is set, and return when all its threads have ended.

    Raises a K8srtError when the server can't be reached, or doesn't know what a Foo is.
    """
    with Clientset(config) as cs, suppress(Stopped):
        _check_that_foos_are_served(cs, namespace)
        with running(cs, namespace=namespace, workers=workers, stop=stop):
            log.info("running with %d workers", workers)
            stop.wait()
            log.info("stopping: finishing what is queued")
    log.info("stopped")


@contextmanager
def running(
    cs: Clientset, *, namespace: str = "", workers: int = 2, stop: threading.Event | None = None
) -> Iterator[Controller]:
    """The controller with its informers, running within the block. "" means all namespaces.

    Raises WaitTimeout when the informers don't sync within a minute, Stopped when `stop` is set before they have.
    """
    factory = SharedInformerFactory(cs, resync_period=RESYNC_PERIOD, namespace=namespace)
    controller = Controller(
        cs,
        factory.apps_v1.deployments,
        factory.samplecontroller_v1alpha1.foos,
        EventRecorder(cs, COMPONENT),
        workers=workers,
    )
    with factory:
        synced = factory.wait_for_cache_sync(timeout=60.0, stop=stop)
        if stop is not None and stop.is_set():
            raise Stopped("told to stop")
        synced.raise_for_error()
        with controller:
            yield controller


def crd() -> str:
    """The CustomResourceDefinition of Foo, as YAML."""
    return (resources.files(__package__) / "crd.yaml").read_text(encoding="utf-8")


def _check_that_foos_are_served(cs: Clientset, namespace: str) -> None:
    """Ask once: a wrong address, a missing right or CRD is said now, in one line, and not over and over in the log."""
    try:
        cs.samplecontroller_v1alpha1.foos(namespace).list(limit=1)
    except NotFound as err:
        raise K8srtError("the server doesn't serve Foos; apply crd.yaml first") from err


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMPONENT, description="Gives each Foo the Deployment it asks for.")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl does, or in-cluster")
    parser.add_argument("--context", default="", help="default: the current one")
    parser.add_argument("--namespace", default="", help="the one to work in; default: all")
    parser.add_argument("--workers", type=_count, default=2, metavar="N", help="Foos worked on at the same time (2)")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers")
    return int(text)
