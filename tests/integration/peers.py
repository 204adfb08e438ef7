"""Programs of the peer tests, run as `python peers.py WORD ...` with KUBECONFIG set: a contender and an operator."""

from __future__ import annotations

import sys
from types import SimpleNamespace


def contend(name: str) -> None:
    """Contend for a lease with the official client, and say when it is held."""
    from kubernetes import config
    from kubernetes.leaderelection import electionconfig, leaderelection
    from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

    config.load_kube_config()
    print("contending", flush=True)
    times = {"lease_duration": 3, "renew_deadline": 2, "retry_period": 1}
    lock = LeaseLock("leader", "default", name)
    wanted = electionconfig.Config(
        lock,
        onstarted_leading=lambda: print("leading", flush=True),
        onstopped_leading=lambda: print("stopped", flush=True),
        **times,
    )
    leaderelection.LeaderElection(wanted).run()


def operate(namespace: str) -> None:
    """A kopf operator for Widgets: each has a ConfigMap with its size, and says in its status what it did."""
    import kopf
    from kubernetes import client, config

    config.load_kube_config()
    core = client.CoreV1Api()
    widgets = ("example.com", "v1", "widgets")

    @kopf.on.startup()
    def configure(settings: kopf.OperatorSettings, **_: object) -> None:
        settings.background.cancellation_polling = 0.2
        settings.posting.enabled = True

    @kopf.on.create(*widgets, id="created")
    def created(spec, name, namespace, body, **_):
        child = {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {"name": name},
            "data": {"size": str(spec["size"])},
        }
        kopf.adopt(child)
        core.create_namespaced_config_map(namespace, child)
        kopf.event(body, type="Normal", reason="Made", message="the child is there")
        return {"child": name}

    @kopf.on.update(*widgets, field="spec.size")
    def resized(new, name, namespace, patch, **_):
        core.patch_namespaced_config_map(name, namespace, {"data": {"size": str(new)}})
        patch.status["size"] = new

    @kopf.daemon(*widgets)
    def accompany(stopped, **_):
        stopped.wait(60)

    @kopf.on.delete(*widgets)
    def gone(name, **_):
        print(f"gone {name}", flush=True)

    print("operating", flush=True)
    kopf.run(standalone=True, namespaces=[namespace])


if __name__ == "__main__":
    SimpleNamespace(contend=contend, operate=operate).__dict__[sys.argv[1]](*sys.argv[2:])
