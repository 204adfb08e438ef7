"""`wait`: what can be awaited, what is asked of the server, and what is said when it takes too long."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import Record, decode_record
from k8srt.gentype.conditions import Deleted, condition_of
from k8srt.gentype.waiting import wait_for
from k8srt.metadata import PartialObjectMetadata
from k8srt.testing import FakeClock
from k8srt.util.threads import Stop
from tests.unit.gentype.scripted import ScriptedClient, ended
from tests.unit.tools.cache.scripted import Stream, added, api_error, bookmark, deleted, failure, modified, pods

READY = {"type": "Ready", "status": "True"}
UNREADY = {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "unready: [app]"}


def web(rv: int = 1, *conditions: dict[str, Any], phase: str = "Pending", **more: Any) -> Record:
    """The pod web-0. `more` goes into the metadata."""
    metadata = {"name": "web-0", "namespace": "default", "uid": "u1", "resourceVersion": str(rv), **more}
    status = {"phase": phase, "conditions": list(conditions), "count": 3, "ok": True}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}
    return decode_record(json.dumps(document).encode())


def outcome(condition: Any, record: Record | None) -> bool:
    return condition_of(condition, Pod).met(record)


# ---- conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("condition=Ready", True),
        ("condition=ready", True),
        ("condition=Ready=True", True),
        ("condition=Ready=true", True),
        ("condition=Ready=False", False),
        ("condition=Available", False),
        ("create", True),
        ("delete", False),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}='Running'", True),
        ("jsonpath=.status.phase=Running", True),
        ("jsonpath=status.phase=Running", True),
        ("jsonpath={.status.phase}=Pending", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.nothing}", False),
        ("jsonpath={.status.nothing}=x", False),
        ("jsonpath={.status.count}=3", True),
        ("jsonpath={.status.ok}=true", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        (lambda pod: pod.status.phase == "Running", True),
        (lambda pod: pod.status.conditions[0].status == "False", False),
    ],
)
def test_conditions(condition: Any, met: bool):
    assert outcome(condition, web(1, READY, phase="Running")) is met


@pytest.mark.parametrize(
    ("generation", "observed", "where", "met"),
    [(2, 2, "condition", True), (2, 1, "condition", False), (2, 1, "status", False), (2, 3, "status", True)],
)
def test_a_condition_of_an_older_generation_does_not_count(generation: int, observed: int, where: str, met: bool):
    condition = {**READY, "observedGeneration": observed} if where == "condition" else READY
    document = {
        "metadata": {"name": "a", "generation": generation},
        "status": {"conditions": [condition], **({"observedGeneration": observed} if where == "status" else {})},
    }

    awaited = condition_of("condition=Ready", Pod)
    record = decode_record(json.dumps(document).encode())

    assert awaited.met(record) is met
    assert ("older generation" in awaited.seen(record)) is not met


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ready",
        "condition",
        "condition=",
        "condition=Ready=",
        "delete=x",
        "jsonpath",
        "jsonpath={.a}=",
        "jsonpath={.a",
    ],
)
def test_what_cannot_be_awaited_is_told_with_what_can(text: str):
    with pytest.raises(ValueError):
        condition_of(text, Pod)


def test_a_wrong_condition_names_the_spellings():
    with pytest.raises(ValueError, match=re.escape("cannot wait for 'ready'; possible: 'condition=<type>[=<status>]'")):
        condition_of("ready", Pod)
    with pytest.raises(TypeError, match="or a function, not int"):
        condition_of(42, Pod)


def test_a_path_leads_to_one_plain_value():
    with pytest.raises(ValueError, match="leads to 2 values"):
        outcome("jsonpath={.status.conditions[*].type}=x", web(1, READY, UNREADY))
    with pytest.raises(ValueError, match="leads to a list"):
        outcome("jsonpath={.status.conditions}=x", web(1, READY))


def test_a_deletion_is_that_of_the_object_seen_first():
    gone = Deleted()

    assert [gone.met(web(1)), gone.met(web(2)), gone.met(web(3, uid="u2"))] == [False, False, True]
    assert Deleted().met(None)


# ---- waiting ------------------------------------------------------------------------------------------------------


def test_what_is_so_already_costs_one_list():
    client = ScriptedClient([pods(web(1, READY))])

    found = wait_for(client, "web-0", "condition=Ready")

    assert isinstance(found, Pod)
    assert client.listed[0]["field_selector"] == {"metadata.name": "web-0"}
    assert client.watched == []


def test_usr_34_it_waits_on_one_watch_and_never_asks_again():
    stream = Stream([modified(web(11, UNREADY)), bookmark(12)], modified(web(13, READY)))
    client = ScriptedClient([pods(web(1), rv=10)], [stream], clock=FakeClock())

    found = wait_for(client, "web-0", "condition=Ready")

    assert found is not None
    assert found.metadata.resource_version == "13"
    assert (len(client.listed), client.watch_versions) == (1, ["10"])
    assert stream.closed == 1


def test_it_survives_ends_and_expiry():
    lists = [pods(web(1), rv=10), pods(web(5, READY), rv=20)]
    client = ScriptedClient(
        lists, [ended(modified(web(2))), ended(bookmark(12), failure(410, "Expired"))], clock=FakeClock()
    )

    found = wait_for(client, "web-0", "condition=Ready")

    assert found is not None
    assert found.metadata.resource_version == "5"


def test_an_object_that_comes_again_counts():
    client = ScriptedClient(
        [pods(web(1), rv=10)], [Stream([deleted(web(11)), added(web(12, READY, uid="u2"))])], clock=FakeClock()
    )

    found = wait_for(client, "web-0", "condition=Ready")

    assert found is not None
    assert found.metadata.uid == "u2"


def test_an_object_that_was_replaced_is_deleted():
    client = ScriptedClient([pods(web(1), rv=10)], [Stream(modified(web(12, uid="u2")))], clock=FakeClock())

    assert wait_for(client, "web-0", "delete") is None


def test_deletion_and_creation():
    gone = ScriptedClient([pods(web(1), rv=10)], [Stream(deleted(web(11)))], clock=FakeClock())
    absent = ScriptedClient([pods(rv=10)])
    made = ScriptedClient([pods(rv=10)], [Stream(added(web(11)))], clock=FakeClock())

    assert wait_for(gone, "web-0", "delete") is None
    assert wait_for(absent, "web-0", "delete") is None
    assert wait_for(made, "web-0", "create").metadata.name == "web-0"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("condition=Ready", "last seen: Ready=False (ContainersNotReady: unready: [app])"),
        (
            "condition=Available",
            "last seen: no condition Available; phase Pending, Ready=False (ContainersNotReady: unr",
        ),
        ("jsonpath={.status.phase}=Running", "last seen: the path leads to Pending"),
        ("jsonpath={.spec}", "last seen: the path leads to nothing; phase Pending"),
        ("delete", "last seen: not deleted yet"),
    ],
)
def test_usr_34_a_timeout_tells_what_was_seen_last(pool, condition: str, said: str):
    client = ScriptedClient([pods(web(1, UNREADY), rv=10)], clock=FakeClock())
    waiting = pool.submit(wait_for, client, "web-0", condition, timeout=30.0)
    client.wait_for_watches(1)
    client.clock.wait_for_sleepers(1)

    client.clock.advance(30.0)

    with pytest.raises(errors.WaitTimeout) as caught:
        waiting.result(timeout=5.0)
    assert str(caught.value).startswith(f"pods 'web-0': timed out after 30s waiting for {condition}: {said}")


def test_a_timeout_tells_what_holds_a_deletion_back():
    record = web(1, deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a.b/c"])
    client = ScriptedClient([pods(record)])

    with pytest.raises(errors.WaitTimeout, match=r"deleted at 2026-01-01T00:00:00Z, with finalizers a\.b/c"):
        wait_for(client, "web-0", "delete", timeout=0)


def test_no_time_at_all_means_one_look():
    client = ScriptedClient([pods(web(1, UNREADY))])

    with pytest.raises(errors.WaitTimeout, match="Ready=False"):
        wait_for(client, "web-0", "condition=Ready", timeout=0)

    assert client.watched == []


def test_a_stop_ends_it_and_tells_what_was_seen(pool):
    stop = Stop()
    client = ScriptedClient([pods(web(1, UNREADY), rv=10)], clock=FakeClock())
    waiting = pool.submit(wait_for, client, "web-0", "condition=Ready", stop=stop, timeout=None)
    client.wait_for_watches(1)

    stop.set()

    with pytest.raises(errors.Stopped, match="Ready=False"):
        waiting.result(timeout=5.0)


def test_what_is_not_there_is_not_found_at_once():
    with pytest.raises(errors.NotFound, match='pods "web-0" not found') as caught:
        wait_for(ScriptedClient(), "web-0", "condition=Ready")

    assert (caught.value.code, caught.value.details.name) == (404, "web-0")


def test_what_is_no_longer_served_is_deleted():
    not_served = errors.NotServed(api_error(404, "NotFound").status)
    gone = ScriptedClient([pods(web(1), rv=10), not_served], [ended(bookmark(11), failure(410, "Expired"))])

    assert wait_for(gone, "web-0", "delete", timeout=None) is None
    with pytest.raises(errors.NotServed):
        wait_for(ScriptedClient([not_served]), "web-0", "delete", timeout=None)


def test_what_a_function_raises_ends_it():
    stream = Stream(modified(web(11)))
    client = ScriptedClient([pods(rv=10)], [stream], clock=FakeClock())
    client._lists = [pods(web(1), rv=10)]
    calls: list[Pod] = []

    def odd(pod: Pod) -> bool:
        calls.append(pod)
        return 1 // (2 - len(calls)) > 1

    with pytest.raises(ZeroDivisionError):
        wait_for(client, "web-0", odd)

    assert stream.closed == 1


def test_calls_that_make_no_sense():
    with pytest.raises(ValueError, match="name a namespace"):
        wait_for(ScriptedClient(namespace=""), "web-0", "create")
    with pytest.raises(ValueError, match="the name is empty"):
        wait_for(ScriptedClient(), "", "create")
    with pytest.raises(ValueError, match="must not be negative"):
        wait_for(ScriptedClient(), "web-0", "create", timeout=-1)
    with pytest.raises(ValueError, match="a metadata client sees no status"):
        wait_for(ScriptedClient(cls=PartialObjectMetadata), "web-0", "condition=Ready")


def test_progress_shows_what_is_seen(capsys):
    stream = Stream([modified(web(11, UNREADY)), modified(web(12, UNREADY)), modified(web(13, READY))])
    client = ScriptedClient([pods(web(1), rv=10)], [stream], clock=FakeClock())

    wait_for(client, "web-0", "condition=Ready", progress=True)

    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("seen: ")[2].partition(" (")[0] for line in lines] == [
        "no condition Ready; phase Pending",
        "Ready=False",
        "Ready=True",
    ]


def test_no_thread_is_left_when_a_wait_ends_early():
    wait_for(ScriptedClient([pods(web(1, READY))], clock=FakeClock()), "web-0", "condition=Ready", timeout=1000.0)

    assert not [thread.name for thread in threading.enumerate() if "deadline" in thread.name]
