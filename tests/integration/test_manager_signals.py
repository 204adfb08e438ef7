"""Programs that are told to end at any moment: they do, soon, and say by their status how it went."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 30.0

BEGINNING = """
import os, signal, sys, threading
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.controller.manager.office import Election
from k8srt.controller.signals import setup_signal_handler
from k8srt.tools.clientcmd import load_config

def make(**options):
    manager = Manager(
        load_config(sys.argv[1]).config,
        leader_election=Election(sys.argv[2], sys.argv[3], release_on_cancel=True),
        namespace=sys.argv[3],
        health_address="127.0.0.1:0", metrics_address="127.0.0.1:0", profiling_address="127.0.0.1:0",
        **options,
    )

    @manager.controller(ConfigMap, workers=2)
    def reconcile(request, ctx):
        ctx.cache.list(ConfigMap)
        ctx.recorder.event(ctx.cache.get(ConfigMap, request), "Normal", "A", "b")

    return manager

def say(word):
    print(word, flush=True)
"""


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Place(NamedTuple):
    """Where a program works."""

    kubeconfig: Path
    namespace: str


@pytest.fixture
def place(kubeconfig: Path, namespace: str) -> Place:
    return Place(kubeconfig, namespace)


class Program:
    """A Python program that runs beside the test, and is killed at its end if it still does."""

    def __init__(self, place: Place, lease: str, text: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGINNING + text, str(place.kubeconfig), lease, place.namespace],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *args: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, word: str) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line == word, (line, self.process.communicate(timeout=LIMIT))

    def end(self) -> tuple[int, str]:
        """The status and what it had to complain about."""
        _, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, err


RUNNING = """
stop = setup_signal_handler()
say("go")
make().run(stop)
"""


@pytest.mark.parametrize("seed", range(8))
def test_sig_01_and_mgr_18_a_program_that_is_told_to_end_at_any_moment_does(
    cs: Clientset, place: Place, seed: int
) -> None:
    with Program(place, f"any-{seed}", RUNNING) as program:
        program.wait_for("go")
        time.sleep(random.Random(seed).uniform(0.0, 0.4))  # the moment is the point
        program.process.send_signal(random.Random(seed).choice([signal.SIGTERM, signal.SIGINT]))
        status, err = program.end()

    assert (status, err) == (0, "")
    leases = {
        each.metadata.name: each.spec.holder_identity for each in cs.coordination_v1.leases(place.namespace).list()
    }
    assert not leases.get(f"any-{seed}")


STUBBORN = """
manager = make(graceful_shutdown_timeout=-1.0)
manager.add(lambda stop: (say("up"), stop.wait(), say("told"), threading.Event().wait()))
manager.run()
"""


def test_sig_01_a_second_signal_ends_what_does_not_stop(place: Place) -> None:
    with Program(place, "stubborn", STUBBORN) as program:
        program.wait_for("up")
        program.process.send_signal(signal.SIGTERM)
        program.wait_for("told")
        assert program.process.poll() is None
        program.process.send_signal(signal.SIGTERM)
        status, _ = program.end()

    assert status == 1


KEYBOARD = """
def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
manager = make()
manager.add(lambda stop: (say("up"), os.kill(os.getpid(), signal.SIGALRM)))
manager.run()
say(manager.state)
"""


def test_sig_04_and_05_an_interrupt_in_the_main_thread_is_the_first_signal(place: Place) -> None:
    with Program(place, "keyboard", KEYBOARD) as program:
        program.wait_for("up")
        program.wait_for("stopped")
        status, err = program.end()

    assert (status, err) == (0, "")


IN_A_HANDLER = """
manager = make()
signal.signal(signal.SIGALRM, lambda number, frame: manager.stop())
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2].rpartition("-")[2]))
manager.start()
manager.elected.wait(0.5)
signal.setitimer(signal.ITIMER_REAL, 0.0)
manager.stop()
say(manager.state)
"""


@pytest.mark.parametrize("moment", ["0.000001", "0.002", "0.01", "0.05", "0.2"])
def test_mgr_18_stop_may_be_called_by_a_signal_handler(place: Place, moment: str) -> None:
    with Program(place, f"handler-{moment}", IN_A_HANDLER) as program:
        program.wait_for("stopped")
        status, err = program.end()

    assert (status, err) == (0, "")


FORGETFUL = """
manager = make()
manager.start()
manager.elected.wait(10)
say("over")
"""


def test_thr_02_a_program_that_forgets_to_stop_ends_and_gives_its_lease_back(cs: Clientset, place: Place) -> None:
    with Program(place, "forgetful", FORGETFUL) as program:
        program.wait_for("over")
        status, err = program.end()

    assert status == 0
    assert "was not stopped before the end of the process" in err
    assert "Traceback" not in err
    assert not cs.coordination_v1.leases(place.namespace).get("forgetful").spec.holder_identity


LOST = """
manager = make(on_lease_lost="exit")
manager.add(lambda stop: (say("up"), stop.wait()))
manager.run()
"""


def test_mgr_10_a_lost_lease_can_end_the_process(cs: Clientset, place: Place) -> None:
    with Program(place, "lost", LOST) as program:
        program.wait_for("up")
        lease = cs.coordination_v1.leases(place.namespace).get("lost")
        lease.spec.holder_identity = "usurper"
        cs.coordination_v1.leases(place.namespace).update(lease)
        status, err = program.end()

    assert status == 1
    assert "leader election lost: the process ends" in err


RAISING = """
manager = make()
manager.add(lambda stop: 1 / 0)
manager.run()
"""


def test_mgr_07_a_program_that_fails_says_so_by_its_status(place: Place) -> None:
    with Program(place, "raising", RAISING) as program:
        status, err = program.end()

    assert status == 1
    assert "ZeroDivisionError" in err


DUMPING = """
manager = make()
manager.add(lambda stop: (say("up"), stop.wait()))
manager.run()
"""


def test_thr_08_a_signal_has_all_stacks_written(place: Place) -> None:
    with Program(place, "dumping", DUMPING) as program:
        program.wait_for("up")
        program.process.send_signal(signal.SIGUSR1)
        program.process.send_signal(signal.SIGTERM)  # of two that wait, that of the lower number comes first
        status, err = program.end()

    assert status == 0
    assert "thread MainThread (" in err
    assert "life.py" in err
