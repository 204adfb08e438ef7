"""`k8srt demo`: a sample controller runs end to end, and what it does is told as it happens.

Without further words it starts an API server in this process, with stand-ins for the controllers that a cluster has.
With --kubeconfig or --context it uses the cluster given, in a namespace of its own, and removes what it made.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8srt.rest import Config


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="run the sample controller end to end and tell what it does",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag, default, meaning in (
        ("--duration", 8.0, "seconds to spread the story over; at its quickest it takes about four"),
        ("--timeout", 60.0, "seconds after which to give up on what should have happened"),
    ):
        parser.add_argument(flag, type=_seconds, default=default, metavar="S", help=f"{meaning} ({default:g})")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="use the cluster that this file says")
    parser.add_argument("--context", default="", metavar="NAME", help="use the cluster of this context")
    parser.add_argument(
        "--stand-ins",
        choices=("auto", "on", "off"),
        default="auto",
        help="run stand-ins for the deployment controller and the kubelet; auto: not in a cluster that was given",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the library does, too")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Play the story; 0 once every Foo is reconciled and the duration is over.

    Raises a K8srtError that says what isn't as it should be, KeyboardInterrupt after Ctrl-C or SIGTERM.
    """
    from k8srt.examples.demo.stage import Plan, perform

    _log(logging.INFO if args.verbose else logging.ERROR)
    config = _config(args)
    stand_ins = args.stand_ins == "on" or (args.stand_ins == "auto" and config is None)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave as cleanly as after Ctrl-C
    try:
        perform(Plan(config, stand_ins, args.duration, args.timeout), sys.stdout)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        raise
    return 0


def _config(args: argparse.Namespace) -> Config | None:
    if not args.kubeconfig and not args.context:
        return None
    from k8srt.tools.clientcmd.loading import load_config

    return load_config(args.kubeconfig, context=args.context).config


def _log(level: int) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value
