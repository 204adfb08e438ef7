"""What stateful sets and daemon sets were like: a ControllerRevision for each template they had."""

from __future__ import annotations

import copy
from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import template_hash
from k8srt.testing.apiserver.controllers.simulation.world import World, owner_reference

JSON = dict[str, Any]
TABLE = "controllerrevisions.apps"
LABEL = "controller-revision-hash"


def current(world: World, owner: JSON, who: str) -> JSON:
    """The revision of the template as it is now, made if there is none, and made the newest if it is an old one."""
    data = {"spec": {"template": {**copy.deepcopy(owner["spec"]["template"]), "$patch": "replace"}}}
    found = history(world, owner)
    newest = found[-1]["revision"] if found else 0
    same = next((each for each in found if each.get("data") == data), None)
    if same is not None:
        if same["revision"] < newest:
            # A server takes this from controllers, who speak protobuf; not from whoever sends `data` as JSON.
            same = world.overwrite(same, revision=newest + 1)
        return same
    mark = template_hash(owner["spec"]["template"])
    labels = {**((owner["spec"].get("selector") or {}).get("matchLabels") or {}), LABEL: mark}
    meta: JSON = {"name": f"{owner['metadata']['name']}-{mark}", "labels": labels,
                  "ownerReferences": [owner_reference(owner)]}  # fmt: skip
    notes = owner["metadata"].get("annotations") or {}
    kept = {key: value for key, value in notes.items() if key == "kubernetes.io/change-cause"}
    if kept:
        meta["annotations"] = kept
    made = {"metadata": meta, "data": data, "revision": newest + 1}
    return world.create(TABLE, owner["metadata"]["namespace"], made, who)


def history(world: World, owner: JSON) -> list[JSON]:
    """All revisions, the oldest first."""
    return sorted(world.owned(owner, TABLE), key=lambda each: int(each["revision"]))


def template_of(revision: JSON) -> JSON:
    template = dict(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def forget_old(world: World, owner: JSON, used: set[str], who: str) -> None:
    """Remove revisions beyond the limit; those in `used`, by name, stay."""
    spare = [each for each in history(world, owner) if each["metadata"]["name"] not in used]
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    for each in spare[: max(len(spare) - limit, 0)]:
        world.delete(each, who)
