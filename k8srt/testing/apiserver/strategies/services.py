"""Services: addresses and node ports, families, what may change."""

from __future__ import annotations

import ipaddress
from typing import Any

from k8srt.testing.apiserver.failures import Cause, duplicate, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_NODE_PORTS = (30000, 32767)
_ALLOCATING = ("NodePort", "LoadBalancer")


def defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("sessionAffinity", "None")
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    if spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", 10800)
    elif spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    if kind in _ALLOCATING:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def prepare(obj: JSON, old: JSON | None, write: Write) -> None:
    """Give out addresses and ports; keep those that a client leaves out of an update."""
    spec = obj["spec"]
    before = (old or {}).get("spec") or {}
    if spec["type"] == "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            spec.pop(name, None)
        return
    if before.get("type") not in (None, "ExternalName"):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    _cluster_address(spec, write)
    spec.setdefault("ipFamilies", before.get("ipFamilies") or _families(spec))
    spec.setdefault("ipFamilyPolicy", before.get("ipFamilyPolicy") or "SingleStack")
    _node_ports(spec, before, write)


def _cluster_address(spec: JSON, write: Write) -> None:
    given = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
    if not given:
        given = _free_address(write)
    spec["clusterIP"] = given
    if not spec.get("clusterIPs"):
        spec["clusterIPs"] = [given]


def _families(spec: JSON) -> list[str]:
    if spec["clusterIP"] == "None":
        return ["IPv4"] if spec.get("selector") else ["IPv4", "IPv6"]
    return ["IPv6" if ":" in address else "IPv4" for address in spec["clusterIPs"]]


def _free_address(write: Write) -> str:
    network = ipaddress.ip_network("10.96.0.0/16")
    taken = {service["spec"].get("clusterIP") for service in _services(write)}
    while True:
        address = str(network[10 + write.cluster.random_below(network.num_addresses - 11)])
        if address not in taken:
            return address


def _services(write: Write) -> list[JSON]:
    return [stored.decode() for stored in write.cluster.storage.page("services").items]


def _node_ports(spec: JSON, before: JSON, write: Write) -> None:
    ports = spec.get("ports") or []
    wants = spec["type"] == "NodePort" or (
        spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True)
    )
    if not wants:
        if before.get("type") in _ALLOCATING and spec["type"] == "ClusterIP":
            for port in ports:
                port.pop("nodePort", None)
        return
    known = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in before.get("ports") or []}
    taken = {port.get("nodePort") for service in _services(write) for port in service["spec"].get("ports") or []}
    for port in ports:
        if port.get("nodePort"):
            continue
        port["nodePort"] = known.get((port.get("port"), port.get("protocol"))) or _free_port(taken, write)
        taken.add(port["nodePort"])


def _free_port(taken: set[Any], write: Write) -> int:
    low, high = _NODE_PORTS
    while True:
        port = low + write.cluster.random_below(high - low + 1)
        if port not in taken:
            return port


def first_status(obj: JSON) -> None:
    obj["status"] = {"loadBalancer": {}}


def validate(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if spec["type"] not in _TYPES:
        causes.append(not_supported("spec.type", spec["type"], _TYPES))
    if spec["type"] == "ExternalName":
        if not spec.get("externalName"):
            causes.append(required("spec.externalName"))
    elif not spec.get("ports") and spec.get("clusterIP") != "None":
        causes.append(required("spec.ports"))
    causes += _port_causes(spec)
    causes += _address_causes(spec)
    before = (old or {}).get("spec") or {}
    if before.get("clusterIP") and spec["type"] != "ExternalName" and before.get("type") != "ExternalName":
        causes += _address_changes(spec, before)
    return causes


def _address_changes(spec: JSON, before: JSON) -> list[Cause]:
    if spec.get("clusterIP") == before["clusterIP"]:
        return []
    shown = spec.get("clusterIPs") or []
    text = "may not change once set"
    return [invalid_value("spec.clusterIPs[0]", shown[0] if shown else "", text)]


def _address_causes(spec: JSON) -> list[Cause]:
    address = spec.get("clusterIP")
    if address in (None, "", "None"):
        return []
    try:
        ipaddress.ip_address(address)
    except ValueError:
        text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [invalid_value("spec.clusterIPs[0]", address, text)]
    return []


def _port_causes(spec: JSON) -> list[Cause]:
    causes: list[Cause] = []
    ports = spec.get("ports") or []
    seen: set[str] = set()
    pairs: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        here, name = f"spec.ports[{index}]", port.get("name", "")
        if len(ports) > 1 and not name:
            causes.append(required(f"{here}.name"))
        elif name and name in seen:
            causes.append(duplicate(f"{here}.name", name))
        seen.add(name)
        number = port.get("port", 0)
        if not 1 <= number <= 65535:
            causes.append(invalid_value(f"{here}.port", number, "must be between 1 and 65535, inclusive"))
        target = port.get("targetPort")
        if isinstance(target, int) and not 1 <= target <= 65535:
            causes.append(invalid_value(f"{here}.targetPort", target, "must be between 1 and 65535, inclusive"))
        if port.get("protocol") not in _PROTOCOLS:
            causes.append(not_supported(f"{here}.protocol", port.get("protocol", ""), _PROTOCOLS))
        if (number, port.get("protocol")) in pairs:
            causes.append(duplicate(here, {"port": number, "protocol": port.get("protocol")}))
        pairs.add((number, port.get("protocol")))
        node = port.get("nodePort", 0)
        if node and not _NODE_PORTS[0] <= node <= _NODE_PORTS[1]:
            low, high = _NODE_PORTS
            text = f"provided port is not in the valid range. The range of valid ports is {low}-{high}"
            causes.append(invalid_value(f"{here}.nodePort", node, text))
    return causes


def fields(obj: JSON) -> dict[str, str]:
    spec = obj.get("spec") or {}
    return {"spec.clusterIP": spec.get("clusterIP", ""), "spec.type": spec.get("type", "")}
