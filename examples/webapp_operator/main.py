"""The operator as a program: controllers, election, webhooks, figures and health.

    python -m k8srt.examples.webapp_operator --kubeconfig ~/.kube/config --no-webhooks     # at your desk

In the cluster it is run by manifests/operator.yaml. Every replica serves webhooks, figures and health; one leads, and
its controllers run. When that one ends it gives the lease back, and another leads within two seconds.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from k8srt.controller import Manager
from k8srt.controller.health import caches_synced, leader_or_standby, not_wedged, ping
from k8srt.controller.webhook import Install, SelfSigned, Target, WebhookServer
from k8srt.errors import K8srtError
from k8srt.rest import Config
from k8srt.tools.clientcmd.loading import load_config

from .controllers import registry
from .webhooks import webhooks

NAME = "webapp-operator"
NAMESPACE = "webapp-system"


def make_manager(
    config: Config,
    *,
    namespace: str = NAMESPACE,
    serve_webhooks: bool = True,
    webhook_port: int = 9443,
    health_address: str = "",
    metrics_address: str = "",
) -> Manager:
    """All of the program; it is what `k8srt rbac` looks at, too. `namespace` is the one that it runs in."""
    service = f"{namespace}/{NAME}"
    mgr = Manager(
        config,
        leader_election=NAME,
        leader_election_namespace=namespace,
        release_on_cancel=True,
        health_address=health_address,
        metrics_address=metrics_address,
        webhook_server=WebhookServer(
            port=webhook_port,
            self_signed=SelfSigned(f"{namespace}/{NAME}-cert", service=service),
            install=Install(NAME, Target(service=service)),
        )
        if serve_webhooks
        else None,
    )
    mgr.include(registry)
    if serve_webhooks:
        mgr.include(webhooks)
    mgr.add_healthz_check("ping", ping)
    mgr.add_healthz_check("wedged", not_wedged(mgr))
    mgr.add_readyz_check("caches", caches_synced(mgr))
    mgr.add_readyz_check("leader", leader_or_standby(mgr))
    return mgr


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog=NAME, description="Runs WebApps, and Previews of them.")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl does, or in-cluster")
    parser.add_argument("--namespace", default=NAMESPACE, help=f"the one this program runs in ({NAMESPACE})")
    parser.add_argument("--no-webhooks", action="store_true", help="serve none: they need a certificate and a Service")
    parser.add_argument("--health", default=":8081", metavar="HOST:PORT", help="where health is served (:8081)")
    parser.add_argument("--metrics", default=":8080", metavar="HOST:PORT", help="where figures are served (:8080)")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    try:
        make_manager(
            load_config(args.kubeconfig).config,
            namespace=args.namespace,
            serve_webhooks=not args.no_webhooks,
            health_address=args.health,
            metrics_address=args.metrics,
        ).run()
    except (K8srtError, OSError) as err:
        print(f"{NAME}: {err}", file=sys.stderr)
        return 1
    return 0
