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
    description: str = ""


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
    labels = obj["metadata"].get("labels") or {}
    found = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)} | {
        labels.get("kubernetes.io/role", "")
    }
    return ",".join(sorted(found - {""})) or "<none>"


def node_address(kind: str) -> Cell:
    def cell(obj: JSON, now: datetime) -> str:
        for each in (obj.get("status") or {}).get("addresses") or []:
            if each.get("type") == kind:
                return str(each["address"])
        return "<none>"

    return cell


_JOB_STATES = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")


def job_status(obj: JSON, now: datetime) -> str:
    conditions = {e["type"]: e["status"] for e in (obj.get("status") or {}).get("conditions") or []}
    met = [kind for kind in _JOB_STATES if conditions.get(kind) == "True"]
    if "deletionTimestamp" in obj["metadata"] and met[:1] not in (["Complete"], ["Failed"]):
        return "Terminating"
    return met[0] if met else "Running"


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


def event_count(obj: JSON, now: datetime) -> str:
    series = (obj.get("series") or {}).get("count")
    return str(series or obj.get("count") or obj.get("deprecatedCount") or 1)


def event_object(obj: JSON, now: datetime) -> str:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    name = about.get("name", "")
    return f"{about.get('kind', '').lower()}/{name}" if name else about.get("kind", "").lower()


def event_source(obj: JSON, now: datetime) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


def hosts(obj: JSON, now: datetime) -> str:
    rules = (obj.get("spec") or {}).get("rules") or []
    shown = ",".join(rule["host"] for rule in rules[:3] if rule.get("host")) or "*"
    return f"{shown} + {len(rules) - 3} more..." if len(rules) > 3 and shown != "*" else shown


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
    current = (obj.get("status") or {}).get("currentMetrics") or []
    metrics = (obj.get("spec") or {}).get("metrics") or []
    shown = [_metric(metric, current[i] if i < len(current) else {}) for i, metric in enumerate(metrics)]
    more = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""
    return (", ".join(shown[:2]) or "<none>") + more


_SOURCES = {"Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
            "External": "external"}  # fmt: skip


def _metric(metric: JSON, status: JSON) -> str:
    """One metric of an autoscaler: what it is, and what it should be."""
    kind = metric.get("type", "")
    source = _SOURCES.get(kind)
    if source is None:
        return "<unknown type>"
    wanted = (metric.get(source) or {}).get("target") or {}
    found = (status.get(source) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        name = (metric.get(source) or {}).get("name", "")
        if wanted.get("averageValue") is not None:
            return f"{name}: {found.get('averageValue', '<unknown>')}/{wanted['averageValue']}"
        is_, should = found.get("averageUtilization"), wanted.get("averageUtilization")
        left = "<unknown>" if is_ is None else f"{is_}%"
        return f"{name}: {left}/{'<auto>' if should is None else f'{should}%'}"
    if wanted.get("averageValue") is not None:
        average = "" if kind == "Pods" else " (avg)"
        return f"{found.get('averageValue', '<unknown>')}/{wanted['averageValue']}{average}"
    return f"{found.get('value', '<unknown>')}/{wanted.get('value', '0')}"


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
    ports = obj.get("ports") or []
    found = [str(port["port"] if port.get("port") is not None else port.get("name", "*")) for port in ports]
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


def quota(limits: bool) -> Cell:
    """What of a quota is used: limits, or everything else."""

    def cell(obj: JSON, now: datetime) -> str:
        status = obj.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits.") is limits]
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)

    return cell


def signing_state(obj: JSON, now: datetime) -> str:
    status = obj.get("status") or {}
    found = {each["type"] for each in status.get("conditions") or []}
    state = "Denied" if "Denied" in found else "Approved" if "Approved" in found else "Pending"
    failed = ",Failed" if "Failed" in found else ""
    return f"{state}{failed}{',Issued' if status.get('certificate') else ''}"


def signing_duration(obj: JSON, now: datetime) -> str:
    seconds = (obj.get("spec") or {}).get("expirationSeconds")
    return "<none>" if seconds is None else human_duration(timedelta(seconds=seconds))


def class_parameters(obj: JSON, now: datetime) -> str:
    found = (obj.get("spec") or {}).get("parameters")
    if not found:
        return "<none>"
    group = f".{found['apiGroup']}" if found.get("apiGroup") is not None else ""
    return f"{found['kind']}{group}/{found['name']}"


def parameter_kind(obj: JSON, now: datetime) -> str:
    found = (obj.get("spec") or {}).get("paramKind")
    return f"{found.get('apiVersion', '')}/{found.get('kind', '')}" if found else "<unset>"


def parameter_reference(obj: JSON, now: datetime) -> str:
    found = (obj.get("spec") or {}).get("paramRef") or {}
    if found.get("name"):
        return f"{found.get('namespace') or '*'}/{found['name']}"
    return str(labels.label_selector_as_selector(found["selector"])) if found.get("selector") else "<unset>"


def flag(path: str, default: bool = False) -> Cell:
    find = at(path, default)
    return lambda obj, now: bool(find(obj, now))


def texts(path: str, part: str = "", default: str = "<none>") -> Cell:
    """A list of texts, or of one part of each entry."""
    find = at(path, [])
    return lambda obj, now: ",".join(each.get(part, "") if part else each for each in find(obj, now)) or default


def api_service(obj: JSON, now: datetime) -> str:
    service = (obj.get("spec") or {}).get("service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def api_available(obj: JSON, now: datetime) -> str:
    for each in (obj.get("status") or {}).get("conditions") or []:
        if each.get("type") == "Available":
            why = f" ({each.get('reason', '')})" if each.get("status") != "True" else ""
            return f"{each.get('status', '')}{why}"
    return "Unknown"


def dangling(obj: JSON, now: datetime) -> str:
    """Whether a flow schema leads to no priority level."""
    conditions = {each.get("type"): each for each in (obj.get("status") or {}).get("conditions") or []}
    return str((conditions.get("Dangling") or {}).get("status", "?"))


def parent(obj: JSON, now: datetime) -> str:
    found = (obj.get("spec") or {}).get("parentRef")
    if not found:
        return "<none>"
    group = f".{found['group']}" if found.get("group") else ""
    namespace = f"{found['namespace']}/" if found.get("namespace") else ""
    return f"{found.get('resource', '')}{group}/{namespace}{found.get('name', '')}"


def claim_state(obj: JSON, now: datetime) -> str:
    status = obj.get("status") or {}
    states = ["deleted"] if "deletionTimestamp" in obj["metadata"] else []
    if not status.get("allocation"):
        return ",".join((*states, "pending"))
    return ",".join((*states, "allocated", *(["reserved"] if status.get("reservedFor") else [])))
