"""Cells of tables: what is shown of an object in one column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from k8srt.apimachinery import labels

JSON = dict[str, Any]
Cell = Callable[[JSON, datetime], Any]


class Column(NamedTuple):
    """One column; `priority` above 0 shows it in wide output only."""

    name: str
    type: str
    format: str
    cell: Cell
    priority: int = 0


# ---- cells


def moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None


def human_duration(span: timedelta) -> str:
    """`5s`, `2m10s`, `3h`, `2d4h`: as kubectl shows ages."""
    seconds = int(span.total_seconds())
    if seconds < -1:
        return "<invalid>"
    seconds = max(seconds, 0)
    if seconds < 60 * 2:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        rest = seconds % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 60 * 3:
        return f"{minutes}m"
    hours = seconds // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        rest = hours % 24
        return f"{hours // 24}d{rest}h" if rest else f"{hours // 24}d"
    if hours < 24 * 365 * 2:
        return f"{hours // 24}d"
    if hours < 24 * 365 * 8:
        rest = hours // 24 % 365
        return f"{hours // 24 // 365}y{rest}d" if rest else f"{hours // 24 // 365}y"
    return f"{hours // 24 // 365}y"


def since(text: Any, now: datetime) -> str:
    parsed = moment(text)
    return human_duration(now - parsed) if parsed else "<unknown>"


def age(obj: JSON, now: datetime) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def at(path: str, default: Any = "") -> Cell:
    """The value at a dotted path."""

    def cell(obj: JSON, now: datetime) -> Any:
        value: Any = obj
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return default if value is None else value

    return cell


def text(path: str, default: str = "<none>") -> Cell:
    """The value at a dotted path as text."""
    find = at(path, None)

    def cell(obj: JSON, now: datetime) -> str:
        value = find(obj, now)
        if isinstance(value, bool):
            return "true" if value else "false"
        return default if value in (None, "") else str(value)

    return cell


def count(*paths: str) -> Cell:
    """How many entries the maps or lists at some paths have together."""
    finders = [at(path, ()) for path in paths]
    return lambda obj, now: sum(len(find(obj, now)) for find in finders)


def selector(path: str) -> Cell:
    find = at(path, None)

    def cell(obj: JSON, now: datetime) -> str:
        value = find(obj, now)
        if not value:
            return "<none>"
        if "matchLabels" in value or "matchExpressions" in value:
            return str(labels.label_selector_as_selector(value)) or "<none>"
        return ",".join(f"{key}={value[key]}" for key in sorted(value))

    return cell


def of_containers(part: str, path: str = "spec.template.spec.containers") -> Cell:
    find = at(path, [])
    return lambda obj, now: ",".join(each.get(part, "") for each in find(obj, now))


def ratio(have: str, want: str) -> Cell:
    first, second = at(have, 0), at(want, 0)
    return lambda obj, now: f"{first(obj, now)}/{second(obj, now)}"


# ---- pods


def pod_ready(obj: JSON, now: datetime) -> str:
    ready = sum(1 for each in (obj.get("status") or {}).get("containerStatuses") or [] if each.get("ready"))
    return f"{ready}/{len((obj.get('spec') or {}).get('containers') or [])}"


def pod_status(obj: JSON, now: datetime) -> str:
    status = obj.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    for each in status.get("containerStatuses") or []:
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated"):
            ended = state["terminated"]
            reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
    if "deletionTimestamp" in obj["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def pod_restarts(obj: JSON, now: datetime) -> str:
    found = (obj.get("status") or {}).get("containerStatuses") or []
    return str(sum(each.get("restartCount", 0) for each in found))


def readiness_gates(obj: JSON, now: datetime) -> str:
    gates = (obj.get("spec") or {}).get("readinessGates") or []
    if not gates:
        return "<none>"
    conditions = {each["type"]: each["status"] for each in (obj.get("status") or {}).get("conditions") or []}
    met = sum(1 for gate in gates if conditions.get(gate["conditionType"]) == "True")
    return f"{met}/{len(gates)}"


# ---- others


def service_address(obj: JSON, now: datetime) -> str:
    spec = obj.get("spec") or {}
    external = list(spec.get("externalIPs") or [])
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        balancer = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        found = [each.get("ip") or each.get("hostname") or "" for each in balancer] + external
        return ",".join(found) if found else "<pending>"
    return ",".join(external) if external else "<none>"


def service_ports(obj: JSON, now: datetime) -> str:
    shown = []
    for port in (obj.get("spec") or {}).get("ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or "<none>"


def node_status(obj: JSON, now: datetime) -> str:
    conditions = {each["type"]: each["status"] for each in (obj.get("status") or {}).get("conditions") or []}
    shown = {"True": "Ready", None: "Unknown"}.get(conditions.get("Ready"), "NotReady")
    return f"{shown},SchedulingDisabled" if (obj.get("spec") or {}).get("unschedulable") else shown


_ROLE = "node-role.kubernetes.io/"


def node_roles(obj: JSON, now: datetime) -> str:
    found = [key.removeprefix(_ROLE) for key in obj["metadata"].get("labels") or {} if key.startswith(_ROLE)]
    return ",".join(sorted(found)) or "<none>"


def node_address(kind: str) -> Cell:
    def cell(obj: JSON, now: datetime) -> str:
        for each in (obj.get("status") or {}).get("addresses") or []:
            if each.get("type") == kind:
                return str(each["address"])
        return "<none>"

    return cell


def job_status(obj: JSON, now: datetime) -> str:
    conditions = {e["type"]: e["status"] for e in (obj.get("status") or {}).get("conditions") or []}
    for kind, shown in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"),
                        ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet")):  # fmt: skip
        if conditions.get(kind) == "True":
            return shown
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else "Running"


def job_completions(obj: JSON, now: datetime) -> str:
    spec = obj.get("spec") or {}
    done = (obj.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallel = spec.get("parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def job_duration(obj: JSON, now: datetime) -> str:
    status = obj.get("status") or {}
    started, ended = moment(status.get("startTime")), moment(status.get("completionTime"))
    return human_duration((ended or now) - started) if started else ""


def last_schedule(obj: JSON, now: datetime) -> str:
    last = (obj.get("status") or {}).get("lastScheduleTime")
    return since(last, now) if last else "<none>"


def event_seen(obj: JSON, now: datetime) -> str:
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    return since(last or obj.get("eventTime"), now)


def event_first(obj: JSON, now: datetime) -> str:
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    return since(first, now)


def event_object(obj: JSON, now: datetime) -> str:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    name = about.get("name", "")
    return f"{about.get('kind', '').lower()}/{name}" if name else about.get("kind", "").lower()


def event_source(obj: JSON, now: datetime) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    return f"{component}, {source['host']}" if source.get("host") else str(component)


def hosts(obj: JSON, now: datetime) -> str:
    found = [rule["host"] for rule in (obj.get("spec") or {}).get("rules") or [] if rule.get("host")]
    shown = ",".join(found[:3]) or "*"
    return f"{shown} + {len(found) - 3} more..." if len(found) > 3 else shown


def addresses(obj: JSON, now: datetime) -> str:
    balancer = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return ",".join(each.get("ip") or each.get("hostname") or "" for each in balancer)


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def access_modes(path: str) -> Cell:
    find = at(path, [])
    return lambda obj, now: ",".join(_MODES.get(mode, mode) for mode in find(obj, now))


def phase(obj: JSON, now: datetime) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    return str((obj.get("status") or {}).get("phase", ""))


def claim(obj: JSON, now: datetime) -> str:
    claim = (obj.get("spec") or {}).get("claimRef") or {}
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def hpa_reference(obj: JSON, now: datetime) -> str:
    target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def hpa_targets(obj: JSON, now: datetime) -> str:
    shown = []
    for metric in (obj.get("spec") or {}).get("metrics") or []:
        resource = metric.get("resource") or {}
        percent = (resource.get("target") or {}).get("averageUtilization")
        shown.append(f"{resource.get('name', '')}: <unknown>/{percent}%" if percent is not None else "<unknown>/<auto>")
    return ", ".join(shown) or "<none>"


def subjects(kind: str) -> Cell:
    def cell(obj: JSON, now: datetime) -> str:
        found = [each for each in obj.get("subjects") or [] if each.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{each.get('namespace', '')}/{each['name']}" for each in found)
        return ", ".join(each["name"] for each in found)

    return cell


def role(obj: JSON, now: datetime) -> str:
    ref = obj.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def slice_ports(obj: JSON, now: datetime) -> str:
    found = [str(port["port"]) for port in obj.get("ports") or [] if port.get("port") is not None]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "") or "<unset>"


def slice_endpoints(obj: JSON, now: datetime) -> str:
    found = [address for each in obj.get("endpoints") or [] for address in each.get("addresses") or []]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "") or "<unset>"


def endpoints(obj: JSON, now: datetime) -> str:
    found = []
    for subset in obj.get("subsets") or []:
        for address in subset.get("addresses") or []:
            ports = subset.get("ports") or [{}]
            found += [f"{address['ip']}:{port['port']}" if port else address["ip"] for port in ports]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "") or "<none>"


def default_class(obj: JSON, now: datetime) -> str:
    notes = obj["metadata"].get("annotations") or {}
    marked = notes.get("storageclass.kubernetes.io/is-default-class") == "true"
    return f"{obj['metadata'].get('name', '')} (default)" if marked else str(obj["metadata"].get("name", ""))


def controller(obj: JSON) -> str:
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return f"{owner['kind'].lower()}.{owner['apiVersion'].partition('/')[0]}/{owner['name']}"
    return "<none>"
