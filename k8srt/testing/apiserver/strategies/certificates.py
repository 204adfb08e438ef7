"""Certificate signing requests: who asks is told by the server, and what was asked for stays."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_REQUESTER = ("username", "uid", "groups", "extra")


def prepare(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is not None:
        obj["spec"] = old["spec"]
        return
    spec = {name: value for name, value in obj["spec"].items() if name not in _REQUESTER}
    user = write.user
    if user is not None:
        found = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
        spec.update({name: value for name, value in found.items() if value})
    obj["spec"] = spec


def prepare_status(obj: JSON, old: JSON | None, write: Write) -> None:
    """Keep what was asked for, and give conditions their times: those that are new or changed are of now."""
    if old is not None:
        obj["spec"] = old["spec"]
    before = {each["type"]: each for each in ((old or {}).get("status") or {}).get("conditions") or []}
    for each in (obj.get("status") or {}).get("conditions") or []:
        known = before.get(each.get("type"), {})
        if not each.get("lastUpdateTime"):
            each["lastUpdateTime"] = write.cluster.now()
        if not each.get("lastTransitionTime"):
            same = known.get("status") == each.get("status")
            each["lastTransitionTime"] = known.get("lastTransitionTime") if same else write.cluster.now()
