"""`python -m k8srt.examples.stand_ins --kubeconfig F`: bring a bare API server (`k8srt apiserver`) to life."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from k8srt.errors import K8srtError
from k8srt.kubernetes import Clientset
from k8srt.tools.clientcmd.loading import load_config
from k8srt.util.threads import Stop

from ..sample_controller.foo.api.v1alpha1 import Foo
from .cluster import StandIns

log = logging.getLogger("stand-ins")


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns 0 after a stop, 1 when it couldn't start."""
    parser = argparse.ArgumentParser(prog="stand-ins", description="Controllers and a kubelet for a bare API server.")
    parser.add_argument("--kubeconfig", required=True, metavar="FILE", help="of a server that has no real ones")
    parser.add_argument("--namespace", default="", help="the one to work in; default: all")
    parser.add_argument("--start-delay", type=float, default=0.5, metavar="S", help="until a Pod is ready (0.5)")
    parser.add_argument("--stop-delay", type=float, default=0.2, metavar="S", help="until a deleted Pod is gone (0.2)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = load_config(args.kubeconfig).config
        config.qps = -1.0  # a server for tests has no need to be spared
        with Clientset(config) as cs, _stand_ins(cs, args):
            log.info("running")
            stop.wait()
    except (K8srtError, OSError) as err:
        print(f"stand-ins: {err}", file=sys.stderr)
        return 1
    return 0


def _stand_ins(cs: Clientset, args: argparse.Namespace) -> StandIns:
    delays = {"start_delay": args.start_delay, "stop_delay": args.stop_delay}
    return StandIns(cs, args.namespace, owners=[Foo], **delays)


if __name__ == "__main__":
    sys.exit(main())
