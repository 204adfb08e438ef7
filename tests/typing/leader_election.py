"""Leader election as users write it. Checked by mypy, never run."""

from __future__ import annotations

import threading
from typing import assert_type

from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.tools.leaderelection import (
    LeaderElectionRecord,
    LeaderElector,
    LeaderHealthzAdaptor,
    LeaseLock,
    MultiLock,
    ResourceLock,
    new_from_kubeconfig,
    run_or_die,
)
from k8srt.tools.leaderelection.lock import EventRecorder
from k8srt.tools.record import EventRecorder as Recorder
from k8srt.util.threads import Stop


def work(stop: Stop) -> None:
    stop.wait()


def election(cs: Clientset, config: Config, recorder: Recorder, stop: threading.Event) -> None:
    told: EventRecorder = recorder
    one: ResourceLock = LeaseLock(cs, "default", "one", "a", labels={"app": "x"}, event_recorder=told)
    other = new_from_kubeconfig("leases", "default", "two", config, identity="a", renew_deadline=10.0)
    both: ResourceLock = MultiLock(one, other)
    assert_type(both.get(timeout=1.0), tuple[LeaderElectionRecord, bytes])

    dog = LeaderHealthzAdaptor(20.0)
    elector = LeaderElector(
        both,
        15.0,
        10.0,
        2.0,
        on_started_leading=work,
        on_stopped_leading=lambda: print("over"),
        on_new_leader=lambda identity: print(identity.upper()),
        watch_dog=dog,
    )
    elector.run(stop)
    assert_type(elector.term, int | None)
    assert_type(elector.ensure_leading(), int)
    assert_type(elector.leading, bool)
    assert_type(elector.join(1.0), bool)
    run_or_die(stop, one, on_started_leading=work, on_stopped_leading=stop.set, release_on_cancel=True)
    run_or_die(stop, one, on_started_leading=work, lease="15s")  # type: ignore[call-arg]
