"""One client library in a process of its own, for `python -m benchmarks api`.

    python -m benchmarks.clients first|calls LIBRARY URL TOKEN

Prints JSON. Nothing is imported before the clock runs but what the interpreter has anyway.
"""

from __future__ import annotations

import sys
import time
from typing import Any

FEW, MANY = "default", "many"
"""The namespaces of the one ConfigMap that is read, and of the thousand that are listed."""
SIZE = 1000


class K8srt:
    def __init__(self, url: str, token: str, ca: str = "") -> None:
        from k8srt.kubernetes import Clientset
        from k8srt.rest import Config

        config = Config(host=url, bearer_token=token, qps=-1)
        if ca:
            from k8srt.transport.tls import TLSConfig

            config.tls = TLSConfig(ca_file=ca)
        self.core = Clientset(config).core_v1

    def pods(self) -> int:
        return len(self.core.pods(FEW).list())

    def get(self, name: str) -> str:
        return self.core.config_maps(FEW).get(name).data["key"]

    def create(self, name: str) -> None:
        from k8srt.api.core.v1 import ConfigMap
        from k8srt.apimachinery.meta import ObjectMeta

        self.core.config_maps(FEW).create(ConfigMap(metadata=ObjectMeta(name=name), data={"key": name}))

    def delete(self, name: str) -> None:
        self.core.config_maps(FEW).delete(name)

    def list(self) -> int:
        return sum(1 for each in self.core.config_maps(MANY).list() if each.data["key"])


class Official:
    def __init__(self, url: str, token: str, ca: str = "") -> None:
        from kubernetes import client

        self.client = client
        configuration = client.Configuration(host=url)
        configuration.api_key = {"authorization": f"Bearer {token}", "BearerToken": f"Bearer {token}"}
        configuration.ssl_ca_cert = ca or None
        self.core = client.CoreV1Api(client.ApiClient(configuration))

    def pods(self) -> int:
        return len(self.core.list_namespaced_pod(FEW).items)

    def get(self, name: str) -> str:
        return self.core.read_namespaced_config_map(name, FEW).data["key"]

    def create(self, name: str) -> None:
        body = self.client.V1ConfigMap(metadata=self.client.V1ObjectMeta(name=name), data={"key": name})
        self.core.create_namespaced_config_map(FEW, body)

    def delete(self, name: str) -> None:
        self.core.delete_namespaced_config_map(name, FEW)

    def list(self) -> int:
        return sum(1 for each in self.core.list_namespaced_config_map(MANY).items if each.data["key"])


class Lightkube:
    def __init__(self, url: str, token: str, ca: str = "") -> None:
        import lightkube
        from lightkube.config.kubeconfig import KubeConfig
        from lightkube.config.models import Cluster, User
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources import core_v1

        self.kinds, self.meta = core_v1, ObjectMeta
        config = KubeConfig.from_one(cluster=Cluster(server=url, certificate_auth=ca or None), user=User(token=token))
        self.client = lightkube.Client(config=config)

    def pods(self) -> int:
        return len(list(self.client.list(self.kinds.Pod, namespace=FEW)))

    def get(self, name: str) -> str:
        return self.client.get(self.kinds.ConfigMap, name, namespace=FEW).data["key"]

    def create(self, name: str) -> None:
        body = self.kinds.ConfigMap(metadata=self.meta(name=name, namespace=FEW), data={"key": name})
        self.client.create(body)

    def delete(self, name: str) -> None:
        self.client.delete(self.kinds.ConfigMap, name, namespace=FEW)

    def list(self) -> int:
        return sum(1 for each in self.client.list(self.kinds.ConfigMap, namespace=MANY) if each.data["key"])


class Kr8s:
    def __init__(self, url: str, token: str, ca: str = "") -> None:
        import warnings

        import kr8s
        from kr8s.objects import ConfigMap

        warnings.simplefilter("ignore")  # it does not know the server's version yet
        context = {"cluster": "it", "user": "me", "namespace": FEW}
        cluster = {"server": url, **({"certificate-authority": ca} if ca else {})}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": context}],
        }
        self.api: Any = kr8s.api(kubeconfig=config)
        self.kind = ConfigMap

    def pods(self) -> int:
        return len(list(self.api.get("pods", namespace=FEW)))

    def get(self, name: str) -> str:
        return self.kind.get(name, namespace=FEW, api=self.api).raw["data"]["key"]

    def create(self, name: str) -> None:
        self.kind({"metadata": {"name": name, "namespace": FEW}, "data": {"key": name}}, api=self.api).create()

    def delete(self, name: str) -> None:
        self.kind({"metadata": {"name": name, "namespace": FEW}}, api=self.api).delete()

    def list(self) -> int:
        return sum(1 for each in self.api.get("configmaps", namespace=MANY) if each.raw["data"]["key"])


LIBRARIES: dict[str, type] = {"k8srt": K8srt, "kubernetes": Official, "lightkube": Lightkube, "kr8s": Kr8s}


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def first(library: type, url: str, token: str) -> dict[str, float]:
    """Import the library, connect, list the pods of a namespace once."""
    memory, wall, cpu = resident_bytes(), time.perf_counter(), time.process_time()
    client = library(url, token)
    connected = time.process_time() - cpu
    client.pods()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "connect_ms": connected * 1e3,
        "cpu_ms": cpu * 1e3,
        "wall_ms": wall * 1e3,
        "mb": (resident_bytes() - memory) / 1e6,
    }


def calls(library: type, url: str, token: str) -> dict[str, float]:
    """CPU seconds for one call of each sort, one after the other, on one connection."""
    client = library(url, token)

    def cycle(number: int) -> None:
        client.create(f"made-{number}")
        client.delete(f"made-{number}")

    def listing() -> None:
        if client.list() != SIZE:
            raise SystemExit("some are missing from the list")

    found = {}
    for name, times, call in (
        ("get", 200, lambda number: client.get("one")),
        ("create and delete", 100, cycle),
        (f"list of {SIZE}", 8, lambda number: listing()),
    ):
        call(-1)
        begun = time.process_time()
        for number in range(times):
            call(number)
        found[name] = (time.process_time() - begun) / times
    return found


def main(argv: list[str]) -> int:
    what, library, url, token = argv
    found = {"first": first, "calls": calls}[what](LIBRARIES[library], url, token)
    import json

    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
