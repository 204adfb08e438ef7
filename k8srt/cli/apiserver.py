"""`k8srt apiserver`: the embedded API server in the foreground, for kubectl and whatever else speaks to one."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8srt.testing.apiserver.server import APIServer

HELP = "run an API server in the foreground, in memory or kept in a folder"


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command; flags that kube-apiserver has keep its names."""
    parser: argparse.ArgumentParser = subparsers.add_parser("apiserver", help=HELP, description=__doc__)
    parser.add_argument("--bind-address", default="127.0.0.1", metavar="A", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, metavar="P", help="0, the default, picks a free one")
    parser.add_argument("--kubeconfig", metavar="FILE", help="write a kubeconfig for this server to FILE")
    parser.add_argument("--token-auth-file", metavar="F", help='users, as lines token,user,uid,"group1,group2"')
    parser.add_argument("--authorization-mode", choices=("AlwaysAllow", "RBAC"), default="AlwaysAllow")
    parser.add_argument("--tls-cert-file", metavar="F", help="serve HTTPS with this certificate")
    parser.add_argument("--tls-private-key-file", metavar="F", help="the certificate's key")
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a certificate made for this server")
    parser.add_argument("--client-ca-file", metavar="F", help="take client certificates signed by these authorities")
    parser.add_argument(
        "--anonymous-auth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let those who show no credentials be system:anonymous (on)",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="keep the cluster in this folder between runs")
    parser.add_argument("--simulate", action="store_true", help="let workloads live: nodes, pods and their controllers")
    parser.add_argument("--nodes", type=int, default=1, metavar="N", help="how many nodes a simulation has (1)")
    parser.add_argument(
        "--event-ttl", type=float, default=3600.0, metavar="S", help="how long events stay (3600; 0: ever)"
    )
    parser.add_argument(
        "--webhook-service",
        action="append",
        default=[],
        metavar="NS/NAME=HOST:PORT",
        help="where a service is that webhook configurations name; may be repeated",
    )
    for name, what in (
        ("garbage-collection", "delete objects whose owners are gone"),
        ("namespace-controller", "empty the namespaces that are deleted"),
        ("default-service-accounts", "make a service account in each namespace"),
    ):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=True, help=f"{what} (on)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit status; raises ConfigError for unusable files."""
    from k8srt.errors import ConfigError

    try:
        server = make_server(args)
    except (ConfigError, OSError) as err:
        print(f"k8srt apiserver: {err}", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server:
        if args.kubeconfig:
            write_private(Path(args.kubeconfig), server.kubeconfig())
        print(f"listening on {server.url}", flush=True)
        if args.kubeconfig:
            print(f"export KUBECONFIG={args.kubeconfig}", flush=True)
        stop.wait()
    return 0


def make_server(args: argparse.Namespace) -> APIServer:
    """The server that the flags describe; its port is taken. Raises ConfigError and OSError."""
    from k8srt.testing.apiserver.auth import read_token_file
    from k8srt.testing.apiserver.controllers.simulation.options import Simulation
    from k8srt.testing.apiserver.server import APIServer

    tokens = read_token_file(args.token_auth_file) if args.token_auth_file else {}
    return APIServer(
        args.port,
        address=args.bind_address,
        tokens=tokens,
        authorization_mode=args.authorization_mode,
        certificate=args.tls_cert_file,
        private_key=args.tls_private_key_file,
        tls=args.tls,
        client_ca=args.client_ca_file,
        anonymous=args.anonymous_auth,
        data_dir=args.data_dir,
        garbage_collection=args.garbage_collection,
        namespace_controller=args.namespace_controller,
        default_service_accounts=args.default_service_accounts,
        event_ttl=args.event_ttl or None,
        simulate=Simulation(nodes=max(args.nodes, 0)) if args.simulate else False,
        webhook_services=dict(map(read_service, args.webhook_service)),
    )


def read_service(text: str) -> tuple[str, str]:
    """`default/hooks=127.0.0.1:8443` as the two texts it holds. Raises ConfigError."""
    from k8srt.errors import ConfigError

    name, _, address = text.partition("=")
    if not address or name.count("/") != 1:
        raise ConfigError(f"--webhook-service {text}: expected NAMESPACE/NAME=HOST:PORT")
    return name, address


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, since it holds a token."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
