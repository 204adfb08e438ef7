"""Reconciles in processes of their own, with real ones."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.controller import Context, ReconcileTimeout, Request, Result, RetryAfter, StopRequested, TerminalError
from k8srt.controller.context import ReconcileLog, ReconcileStop
from k8srt.controller.isolation import child
from k8srt.controller.isolation.failures import ProcessDied, RemoteFailure
from k8srt.controller.isolation.pool import Isolated
from k8srt.controller.isolation.program import Program
from k8srt.controller.reasons import Reason
from k8srt.controller.retries import Retry
from k8srt.kubernetes import Clientset
from k8srt.rest.config import Config
from k8srt.testing import FakeClock
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop
from tests.integration.isolated import reconcile

LONG = 60.0

pytestmark = pytest.mark.timeout(180)


class Told:
    """Log records, as they come."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.records: list[logging.LogRecord] = []

    def add(self, record: logging.LogRecord) -> None:
        with self._cond:
            self.records.append(record)
            self._cond.notify_all()

    def wait_for(self, text: str) -> logging.LogRecord:
        def found() -> list[logging.LogRecord]:
            return [each for each in self.records if text in each.getMessage()]

        with self._cond:
            assert self._cond.wait_for(found, LONG), f"nobody has said {text!r}"
            return found()[-1]


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    handler = logging.Handler()
    handler.emit = told.add  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("isolated", "k8srt.controller")]
    for logger in loggers:
        logger.addHandler(handler)
    yield told
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module", autouse=True)
def _level() -> Iterator[None]:
    logger = logging.getLogger("isolated")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(before)


@contextmanager
def processes(clock: FakeClock) -> Iterator[Isolated]:
    """Those of a controller; one is ready."""
    config = Config(host="http://127.0.0.1:1")  # nobody is there
    made = Isolated(Program("rig", reconcile, None, config, {"who": "me"}), clock)
    try:
        made.start()
        made.wait_ready(Stop())
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def isolated(clock: FakeClock, _level: None) -> Iterator[Isolated]:
    """Processes that all tests use, which must not end any."""
    with processes(clock) as made:
        yield made


@pytest.fixture
def own(clock: FakeClock) -> Iterator[Isolated]:
    """Processes of the test's own."""
    with processes(clock) as made:
        yield made


class Client:
    """What is asked whether anything may be written."""

    def __init__(self) -> None:
        self.refuses: Exception | None = None

    def check_may_write(self) -> None:
        if self.refuses is not None:
            raise self.refuses


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def event(self, regarding: Any, *said: Any) -> None:
        self.events.append((regarding.metadata.name, *said))


def context(name: str, clock: FakeClock, **more: Any) -> Context[Any]:
    request = Request("default", name)
    log = ReconcileLog(logging.getLogger("k8srt.controller.rig"))
    log.extra = {"controller": "rig", "request": str(request), "reconcileID": "some"}
    given: Any = {"cache": None, "client": Client(), "recorder": Recorder(), **more}
    return Context(request, "rig", stop=ReconcileStop(name), clock=clock, log=log, **given)


def have(processes: Isolated, name: str, clock: FakeClock, **more: Any) -> Result | None:
    ctx = context(name, clock, **more)
    return processes(ctx.request, ctx)


@pytest.fixture
def run(isolated: Isolated, clock: FakeClock) -> Any:
    """Have one thing done."""
    return lambda name, **more: have(isolated, name, clock, **more)


@pytest.mark.embedded
def test_thr_06_it_runs_in_another_process_which_is_kept(run: Any, isolated: Isolated) -> None:
    first, second = run("pid"), run("pid")

    assert first == second
    assert first.requeue_after != float(os.getpid())
    assert isolated.processes == [int(first.requeue_after)]
    assert isolated.debug_state() == [f"<Child {isolated.processes[0]} of rig: idle>"]


@pytest.mark.embedded
def test_thr_06_what_it_raises_is_raised(run: Any) -> None:
    with pytest.raises(TerminalError, match=r"^no way$"):
        run("terminal")
    with pytest.raises(RetryAfter) as later:
        run("later")
    assert later.value.result == Result(requeue_after=7.0)
    with pytest.raises(errors.TransportError, match=r"127.0.0.1:1"):
        run("write")
    with pytest.raises(TypeError, match="a reconcile returns a Result or None, not 'done'"):
        run("wrong")


@pytest.mark.embedded
def test_thr_06_what_is_not_there_says_so(run: Any) -> None:
    with pytest.raises(errors.K8srtError, match=r"ctx.cache.get: there is no cache .* ctx.client reads from the serv"):
        run("cache")
    with pytest.raises(errors.K8srtError, match=r"rig: nothing that a reconcile starts .* can outlive it"):
        run("detach")


@pytest.mark.embedded
def test_thr_06_whether_it_may_write_is_asked_here(run: Any) -> None:
    client = Client()
    client.refuses = errors.NotStarted("not the leader")

    with pytest.raises(errors.NotStarted, match="not the leader"):
        run("write", client=client)


@pytest.mark.embedded
def test_thr_06_it_knows_what_went_before_and_what_it_says_is_heard(run: Any, told: Told) -> None:
    recorder = Recorder()

    run(
        "tell",
        recorder=recorder,
        retry=Retry(2, None, ValueError("wrong")),
        reasons=(Reason("owns Secret", "updated", "default/s"),),
    )

    record: Any = told.wait_for("wrong because")
    assert record.getMessage() == "rig default/tell: wrong because owns Secret default/s updated"
    assert (record.name, record.reconcileID) == ("k8srt.controller.rig", "some")
    assert record.process != os.getpid()
    assert recorder.events == [("some", "Normal", "Told", "attempt 2 of me")]


@pytest.mark.embedded
def test_thr_06_what_would_end_a_program_is_a_failure_of_one_reconcile(run: Any, isolated: Isolated) -> None:
    before = isolated.processes

    with pytest.raises(RemoteFailure, match=r"^SystemExit: enough$"):
        run("sys-exit")
    with pytest.raises(RecursionError):
        run("recursion")
    assert isolated.processes == before


@pytest.mark.embedded
def test_thr_06_a_process_that_ends_fails_one_reconcile(own: Isolated, clock: FakeClock) -> None:
    before = own.processes

    with pytest.raises(ProcessDied, match=r"rig default/exit: the process .* has ended: exit status 3") as died:
        have(own, "exit", clock)
    with pytest.raises(ProcessDied, match="signal SIGSEGV"):
        have(own, "segfault", clock)

    assert died.value.exit_code == 3
    assert own.processes != before


@pytest.mark.embedded
def test_thr_06_what_does_not_end_in_time_is_killed(own: Isolated, clock: FakeClock, told: Told) -> None:
    ctx = context("hang", clock)
    raised: list[BaseException] = []

    with running(own, ctx, raised):
        told.wait_for("begins hang")
        (hanging,) = own.processes
        ctx.stop.expire()
        clock.wait_for_sleepers(1, LONG, by=clock.now() + child.GRACE)
        clock.advance(child.GRACE)
        told.wait_for("is killed, it did not end when told to")

    assert isinstance(raised[0], ReconcileTimeout)
    assert "the time of the reconcile is over, and its process was killed" in str(raised[0])
    assert hanging not in own.processes


@pytest.mark.embedded
def test_thr_06_what_ends_when_told_to_is_not_killed(isolated: Isolated, clock: FakeClock, told: Told) -> None:
    isolated.wait_ready(Stop())
    (before,) = isolated.processes
    ctx = context("wait", clock)
    raised: list[BaseException] = []

    with running(isolated, ctx, raised):
        told.wait_for("waits")
        ctx.stop.set()

    assert isinstance(raised[0], StopRequested)
    assert isolated.processes == [before]


@contextmanager
def running(isolated: Isolated, ctx: Context[Any], raised: list[BaseException]) -> Iterator[None]:
    """Have a reconcile run in the background; it has ended when this is left."""

    def run() -> None:
        try:
            isolated(ctx.request, ctx)
        except BaseException as err:  # noqa: BLE001 - looked at by the test
            raised.append(err)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(LONG)
    assert not thread.is_alive()


PROGRAM = """
import os, re, sys
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Context, Manager
from pathlib import Path
from k8srt.rest.config import Config

mgr = Manager(Config.from_kubeconfig(Path(sys.argv[1])), namespace=sys.argv[2], health_address="127.0.0.1:0")


@mgr.controller(ConfigMap, run_in="process", labels={"isolated": "yes"}, name="isolated")
def reconcile(obj: ConfigMap, ctx: Context) -> None:
    ctx.client.patch(obj, {"data": {"main": __name__, "who": str(os.getpid())}}, patch_type="merge")
    if obj.metadata.name == "hang":
        print("hangs", flush=True)
        re.match(r"(a+)+b", "a" * 60)


if __name__ == "__main__":
    print("begins", os.getpid(), flush=True)
    mgr.run()
    print("ended", flush=True)
"""


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


@contextmanager
def program(path: Path, *args: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(path), *map(str, args)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_thr_06_a_program_defines_it_in_its_main_module(
    server: Server, cs: Clientset, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    path = tmp_path / "operator_program.py"
    path.write_text(PROGRAM)
    maps = cs.core_v1.config_maps(namespace)
    maps.create({"metadata": {"name": "plain", "labels": {"isolated": "yes"}}})

    with program(path, kubeconfig, namespace) as process:
        assert process.stdout is not None
        pid = process.stdout.readline().split()[1]
        done = maps.wait("plain", lambda obj: obj is not None and "who" in (obj.data or {}), timeout=LONG)
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()  # ends when nobody has it open any more, so all processes are gone

    assert done.data["main"] == "__mp_main__"
    assert done.data["who"] != pid
    assert rest == "ended\n"
    assert process.returncode == 0


def test_thr_06_processes_end_with_the_one_they_are_for(
    server: Server, cs: Clientset, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    path = tmp_path / "operator_program.py"
    path.write_text(PROGRAM)
    cs.core_v1.config_maps(namespace).create({"metadata": {"name": "hang", "labels": {"isolated": "yes"}}})

    with program(path, kubeconfig, namespace) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdout.readline() == "hangs\n"
        process.kill()

        assert process.stdout.read() == ""  # which it would not be at an end of as long as one is left
