"""Rules that hold for the metadata of every object, on creation and on update."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver import names
from k8srt.testing.apiserver.documents import name_required
from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value
from k8srt.testing.apiserver.registry import Resource

JSON = dict[str, Any]
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_ANNOTATIONS_LIMIT = 256 * 1024


def create_causes(resource: Resource, obj: JSON) -> list[Cause]:
    """What is wrong with the metadata of a new object."""
    meta = obj["metadata"]
    return _name_causes(resource, meta) + metadata_causes(meta, built_in=resource.custom is None)


def _name_causes(resource: Resource, meta: JSON) -> list[Cause]:
    rule = names.RULES[resource.strategy.name_rule]
    causes = []
    if prefix := meta.get("generateName", ""):
        masked = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        causes += [invalid_value("metadata.generateName", prefix, text) for text in rule(masked)]
    name = meta.get("name", "")
    if not name:
        return [*causes, name_required()]
    return causes + [invalid_value("metadata.name", name, text) for text in rule(name)]


def metadata_causes(meta: JSON, *, built_in: bool) -> list[Cause]:
    """What is wrong with labels, annotations, finalizers, owners."""
    causes = names.label_causes(meta.get("labels") or {}, "metadata.labels")
    causes += _annotation_causes(meta.get("annotations") or {})
    finalizers = meta.get("finalizers") or []
    for finalizer in finalizers:
        causes += [invalid_value("metadata.finalizers", finalizer, text) for text in names.qualified_name(finalizer)]
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(invalid_value("metadata.finalizers", finalizers, text))
    if built_in:
        for index, finalizer in enumerate(finalizers):
            causes += _unqualified_causes(finalizer, f"metadata.finalizers[{index}]")
    causes += _owner_causes(meta.get("ownerReferences") or [])
    return causes


def _annotation_causes(annotations: JSON) -> list[Cause]:
    path = "metadata.annotations"
    causes = []
    for key in annotations:
        causes += [invalid_value(path, key, text) for text in names.qualified_name(key.lower())]
    if sum(len(k.encode()) + len(str(v).encode()) for k, v in annotations.items()) > _ANNOTATIONS_LIMIT:
        text = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("FieldValueTooLong", path, text))
    return causes


def finalizer_warnings(new: JSON, old: JSON | None) -> list[str]:
    """What is said of finalizers that come to a custom resource; on built-in kinds the same are refused."""
    known = {*_STANDARD_FINALIZERS, *((old or {}).get("metadata", {}).get("finalizers") or ())}
    told = []
    for finalizer in new["metadata"].get("finalizers") or ():
        if "/" not in finalizer and finalizer not in known:
            path = " including a path (/)" if "." in finalizer else ""
            text = f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer"
            told.append(f'metadata.finalizers: "{finalizer}": {text} writers')
    return told


def _unqualified_causes(finalizer: str, path: str) -> list[Cause]:
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        text = "name is neither a standard finalizer name nor is it fully qualified"
        return [invalid_value(path, finalizer, text)]
    return []


def drop_repeated_owners(meta: JSON, *, sent: bool = False) -> list[str]:
    """Leave out owners that are there already, word by word; returns the warning that tells of it, if any.

    `sent`: they are as the client sent them; if not, patches and webhooks had their part in it.
    """
    owners = meta.get("ownerReferences") or []
    kept: list[JSON] = []
    repeated: list[str] = []
    for owner in owners:
        if owner in kept:
            repeated.append(str(owner.get("uid", "")))
        else:
            kept.append(owner)
    if not repeated:
        return []
    meta["ownerReferences"] = kept
    when = "" if sent else " after mutating admission happens"
    return [
        f".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and "
        "may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
        + ", ".join(repeated)
    ]


def _owner_causes(owners: list[JSON]) -> list[Cause]:
    path = "metadata.ownerReferences"
    causes = []
    controllers: list[JSON] = []
    for owner in owners:
        for part, text in (("apiVersion", "version must not be empty"), ("kind", "must not be empty"),
                           ("name", "must not be empty"), ("uid", "must not be empty")):  # fmt: skip
            if not owner.get(part):
                causes.append(invalid_value(f"{path}.{part}", "", text))
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            causes.append(invalid_value(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller"):
            controllers.append(owner)
    if len(controllers) > 1:
        first, second = (f"{each['kind']}/{each['name']}" for each in controllers[:2])
        text = (
            f'Only one reference can have Controller set to true. Found "true" in references for {first} and {second}'
        )
        causes.append(invalid_value(path, owners, text))
    return causes


_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def carry_over(old: JSON, new: JSON) -> None:
    """Take from the old metadata what a client cannot unset."""
    before, meta = old["metadata"], new["metadata"]
    meta["creationTimestamp"] = before.get("creationTimestamp")
    if "uid" not in meta:
        meta["uid"] = before.get("uid")
    for part in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if part in before and (part not in meta or part == "deletionGracePeriodSeconds"):
            meta[part] = before[part]
    meta.pop("selfLink", None)
    if "generateName" not in meta and "generateName" in before:
        pass  # a client may drop it
    if "generation" in before:
        meta["generation"] = before["generation"]
    else:
        meta.pop("generation", None)


def update_causes(old: JSON, new: JSON, *, built_in: bool) -> list[Cause]:
    """What is wrong with the change of metadata. What may not change is told two times."""
    before, meta = old["metadata"], new["metadata"]
    causes = []
    for part in _IMMUTABLE:
        if meta.get(part) != before.get(part):
            causes.append(invalid_value(f"metadata.{part}", meta.get(part), "field is immutable"))
    if "deletionTimestamp" in before:
        added = sorted(set(meta.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if added:
            quoted = ", ".join(f'"{each}"' for each in added)
            text = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{quoted}}}"
            )
            causes.append(forbidden_field("metadata.finalizers", text))
    return causes * 2 + metadata_causes(meta, built_in=built_in)
