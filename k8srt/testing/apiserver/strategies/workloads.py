"""Deployments, replica sets, stateful sets, daemon sets, replication controllers, jobs, cron jobs."""

from __future__ import annotations

import re
from typing import Any

from k8srt.apimachinery import labels
from k8srt.testing.apiserver import names
from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies.podchecks import pod_spec_causes
from k8srt.testing.apiserver.strategies.pods import template_defaults
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]


def _spec(obj: JSON) -> JSON:
    spec: JSON = obj.setdefault("spec", {})
    template = spec.get("template")
    if isinstance(template, dict):
        template_defaults(template)
    return spec


# ---- defaults


def deployment_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def replica_set_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)


def _labels_from_template(obj: JSON) -> None:
    found = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if found and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(found)


def replication_controller_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if found and not spec.get("selector"):
        spec["selector"] = dict(found)
    _labels_from_template(obj)


def stateful_set_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("partition", 0)
    policy = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    policy.setdefault("whenDeleted", "Retain")
    policy.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates") or []:
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim["status"] = {"phase": "Pending", **(claim.get("status") or {})}


def daemon_set_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    notes = obj["metadata"].get("annotations") or {}
    if _GENERATION not in notes:
        obj["metadata"]["annotations"] = {**notes, _GENERATION: "0"}
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def job_defaults(obj: JSON) -> None:
    spec = _spec(obj)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2147483647 if spec.get("backoffLimitPerIndex") is not None else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    replacement = "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", replacement)
    spec.setdefault("manualSelector", False)
    _labels_from_template(obj)


def cron_job_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template")
    if isinstance(template, dict):
        template_defaults(template)


def pod_template_defaults(obj: JSON) -> None:
    if isinstance(obj.get("template"), dict):
        template_defaults(obj["template"])


# ---- daemon sets count the generations of their template

_GENERATION = "deprecated.daemonset.template.generation"


def prepare_daemon_set(obj: JSON, old: JSON | None, write: Write) -> None:
    before = ((old or {}).get("metadata") or {}).get("annotations") or {}
    count = int(before.get(_GENERATION, 0)) if str(before.get(_GENERATION, 0)).isdigit() else 0
    if old is None or obj["spec"].get("template") != old["spec"].get("template"):
        count += 1
    annotations = obj["metadata"].get("annotations") or {}
    obj["metadata"]["annotations"] = {**annotations, _GENERATION: str(count)}


# ---- jobs get their selector

_JOB_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")


def prepare_job(obj: JSON, old: JSON | None, write: Write) -> None:
    spec = obj["spec"]
    if old is not None or spec.get("manualSelector"):
        return
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    meta = spec["template"].setdefault("metadata", {})
    meta["labels"] = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
        **(meta.get("labels") or {}),
    }
    _labels_from_template(obj)
    selector = spec.get("selector") or {}
    matched = {**(selector.get("matchLabels") or {}), "batch.kubernetes.io/controller-uid": uid}
    spec["selector"] = {**selector, "matchLabels": matched}


# ---- validation


def _causes(obj: JSON, old: JSON | None, *, immutable: tuple[str, ...] = ("selector",)) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        value = spec.get(field)
        if value is not None and value < 0:
            causes.append(invalid_value(f"spec.{field}", value, "must be greater than or equal to 0"))
    causes += _selector_causes(spec)
    template = spec.get("template") or {}
    causes += pod_spec_causes(template.get("spec") or {}, "spec.template.spec")
    restart = (template.get("spec") or {}).get("restartPolicy")
    if restart not in (None, "Always") and restart in ("OnFailure", "Never"):
        causes.append(not_supported("spec.template.spec.restartPolicy", restart, ("Always",)))
    if old is not None:
        causes += _immutable(obj, old, immutable)
    return causes


def _immutable(obj: JSON, old: JSON, fields: tuple[str, ...]) -> list[Cause]:
    return [
        invalid_value(f"spec.{field}", obj["spec"].get(field), "field is immutable")
        for field in fields
        if obj["spec"].get(field) != old["spec"].get(field)
    ]


def _selector_causes(spec: JSON) -> list[Cause]:
    selector = spec.get("selector")
    path = "spec.selector"
    if selector is None:
        found = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        return [required(path), _mismatch(found)]
    causes = label_selector_causes(selector, path)
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [*causes, invalid_value(path, selector, "empty selector is invalid for deployment")]
    if causes:
        return [*causes, invalid_value(path, selector, "invalid label selector")]
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not labels.label_selector_as_selector(selector).matches(found):
        causes.append(_mismatch(found))
    return causes


def _mismatch(found: JSON) -> Cause:
    text = "`selector` does not match template `labels`"
    return invalid_value("spec.template.metadata.labels", found or None, text)


_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def label_selector_causes(selector: JSON, path: str) -> list[Cause]:
    causes = names.label_causes(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, each in enumerate(selector.get("matchExpressions") or []):
        here, operator = f"{path}.matchExpressions[{index}]", each.get("operator", "")
        if operator not in _OPERATORS:
            causes.append(invalid_value(f"{here}.operator", operator, "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not each.get("values"):
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            causes.append(required(f"{here}.values", text))
        elif operator in ("Exists", "DoesNotExist") and each.get("values"):
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(forbidden_field(f"{here}.values", text))
    return causes


def validate_deployment(obj: JSON, old: JSON | None) -> list[Cause]:
    return _causes(obj, old) + _status_causes(obj, old)


_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def _status_causes(obj: JSON, old: JSON | None) -> list[Cause]:
    status = obj.get("status") or {}
    if old is None or status == old.get("status"):
        return []
    causes = [
        invalid_value(f"status.{name}", status[name], "must be greater than or equal to 0")
        for name in _COUNTS
        if status.get(name, 0) < 0
    ]
    total = status.get("replicas", 0)
    for name in ("updatedReplicas", "readyReplicas", "availableReplicas"):
        if status.get(name, 0) > total:
            causes.append(
                invalid_value(f"status.{name}", status.get(name, 0), "cannot be greater than status.replicas")
            )
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        text = "cannot be greater than readyReplicas"
        causes.append(invalid_value("status.availableReplicas", status["availableReplicas"], text))
    return causes


def validate_replica_set(obj: JSON, old: JSON | None) -> list[Cause]:
    return _causes(obj, old)


_STATEFUL_MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def validate_stateful_set(obj: JSON, old: JSON | None) -> list[Cause]:
    causes = _causes(_with_claims(obj), None)
    if old is not None:
        before = {k: v for k, v in old["spec"].items() if k not in _STATEFUL_MUTABLE}
        after = {k: v for k, v in obj["spec"].items() if k not in _STATEFUL_MUTABLE}
        if before != after:
            text = (
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                "'minReadySeconds' are forbidden"
            )
            causes.append(forbidden_field("spec", text))
    return causes


def _with_claims(obj: JSON) -> JSON:
    """A stateful set with the volumes that its pods will have of its claims, which may be mounted."""
    spec, template = obj["spec"], obj["spec"].get("template") or {}
    names = [(each.get("metadata") or {}).get("name", "") for each in spec.get("volumeClaimTemplates") or ()]
    if not names or not isinstance(template.get("spec"), dict):
        return obj
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    kept = [each for each in template["spec"].get("volumes") or () if each.get("name") not in names]
    inner = {**template["spec"], "volumes": [*kept, *claims]}
    return {**obj, "spec": {**spec, "template": {**template, "spec": inner}}}


def validate_daemon_set(obj: JSON, old: JSON | None) -> list[Cause]:
    return _causes(obj, old)


def validate_replication_controller(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if spec.get("replicas", 0) < 0:
        causes.append(invalid_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    if not spec.get("selector"):
        causes.append(required("spec.selector"))
    template = spec.get("template")
    if template is None:
        return [*causes, required("spec.template")]
    found = (template.get("metadata") or {}).get("labels") or {}
    if any(found.get(key) != value for key, value in (spec.get("selector") or {}).items()):
        causes.append(_mismatch(found))
    return causes + pod_spec_causes(template.get("spec") or {}, "spec.template.spec")


def validate_job(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    for field in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        if spec.get(field) is not None and spec[field] < 0:
            causes.append(invalid_value(f"spec.{field}", spec[field], "must be greater than or equal to 0"))
    causes += _job_template_causes(spec, "spec")
    if old is None:
        return causes + _generated_selector_causes(obj)
    causes += _immutable(obj, old, ("selector", "completionMode", "backoffLimitPerIndex"))
    if spec.get("completionMode") != "Indexed":
        causes += _immutable(obj, old, ("completions",))
    suspended = old["spec"].get("suspend") and "startTime" not in (old.get("status") or {})
    if not suspended:
        causes += _immutable(obj, old, ("template",))
    return causes


def _generated_selector_causes(obj: JSON) -> list[Cause]:
    spec, uid = obj["spec"], obj["metadata"]["uid"]
    if spec.get("manualSelector"):
        return _selector_causes(spec)
    causes = []
    wanted = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    if spec.get("selector") != wanted:
        text = "`selector` not auto-generated"
        causes.append(invalid_value("spec.selector", spec.get("selector"), text))
        found = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not labels.label_selector_as_selector(spec["selector"]).matches(found):
            causes.append(_mismatch(found))
    return causes


def _job_template_causes(spec: JSON, path: str) -> list[Cause]:
    inner = (spec.get("template") or {}).get("spec") or {}
    causes = pod_spec_causes(inner, f"{path}.template.spec")
    if inner.get("restartPolicy") not in ("OnFailure", "Never"):
        here = f"{path}.template.spec.restartPolicy"
        if inner.get("restartPolicy") == "Always":
            causes.append(required(here, 'valid values: "OnFailure", "Never"'))
        elif inner.get("restartPolicy"):
            causes.append(not_supported(here, inner["restartPolicy"], ("OnFailure", "Never")))
    return causes


_POLICIES = ("Allow", "Forbid", "Replace")


def validate_cron_job(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    schedule = spec.get("schedule", "")
    if not schedule:
        causes.append(required("spec.schedule"))
    elif wrong := _schedule_problem(schedule):
        causes.append(invalid_value("spec.schedule", schedule, wrong))
    zone = spec.get("timeZone")
    if zone is not None and not _zone_known(zone):
        causes.append(invalid_value("spec.timeZone", zone, f"unknown time zone {zone}"))
    if spec.get("concurrencyPolicy") not in _POLICIES:
        causes.append(not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy", ""), _POLICIES))
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    return causes + _job_template_causes(job, "spec.jobTemplate.spec")


_FIELD = re.compile(r"[\d*/,?A-Za-z#L-]+")
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def _schedule_problem(schedule: str) -> str:
    if schedule.startswith("@"):
        known = schedule in _MACROS or schedule.startswith("@every ")
        return "" if known else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    bad = next((field for field in fields if not _FIELD.fullmatch(field)), None)
    return f"failed to parse int from {bad}" if bad else ""


def _zone_known(zone: str) -> bool:
    import zoneinfo

    if not zone or zone.lower() == "local":
        return False
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def job_fields(obj: JSON) -> dict[str, str]:
    return {"status.successful": str((obj.get("status") or {}).get("succeeded", 0))}


def replicas_field(obj: JSON) -> dict[str, str]:
    return {"status.replicas": str((obj.get("status") or {}).get("replicas", 0))}
