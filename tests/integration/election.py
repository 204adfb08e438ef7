"""A program that stands for election again and again, and acts while it leads: `python -m tests.integration.election`.

It is run several times at once by the tests of leader election. Each act is written into a journal that all share, with
the term of who acts; the journal refuses an act of an older term than the last, and remembers that. Two kinds of acts
are done: those that ask `ensure_leading` before, and those of a program that relies on its stop alone.

`Contender` is such a program as a test sees it, `Cable` what it is connected by.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from k8srt.rest import RESTClient
from k8srt.tools.clientcmd import load_config
from k8srt.tools.leaderelection import LeaderElector, LeaseLock, NotLeaderError
from k8srt.util.clock import RealClock

LIMIT = 20.0
"""Seconds that anything may take."""

_LIFETIME = 50
_PAUSE = 0.01
_ENOUGH = 10


class Timing(NamedTuple):
    """What an elector is configured with, in seconds."""

    lease: float = 1.0
    renew: float = 0.7
    retry: float = 0.2


class Act(NamedTuple):
    """A line of the journal."""

    term: int
    who: str
    guarded: bool
    refused: bool


class Journal:
    """What was done, by any process, in the order it was done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file, for one process at a time."""
        with self._path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def act(self, elector: LeaderElector, term: int, guarded: bool) -> None:
        """Do something. Raises NotLeaderError if `guarded` and not the leader."""
        with self.opened() as file:
            if guarded:
                elector.ensure_leading()
            done = [act.term for act in _acts(file) if not act.refused]
            act = Act(term, elector.identity, guarded, bool(done) and done[-1] > term)
            file.write(json.dumps(act) + "\n")

    def read(self) -> list[Act]:
        with self.opened() as file:
            return _acts(file)


def _acts(file: Any) -> list[Act]:
    return [Act(*json.loads(line)) for line in file]


class Skewed(RealClock):
    """A clock that is wrong by so many seconds. Its wall time jumps to and fro by up to as much again."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return super().now() + self._seconds

    def time(self) -> datetime:
        return super().time() + timedelta(seconds=self._seconds + random.uniform(-1.0, 1.0) * self._seconds)


# ---- the program --------------------------------------------------------------------------------------------------


def main() -> None:
    asked = json.loads(sys.argv[1])
    signal.alarm(_LIFETIME)  # whatever becomes of the test
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    journal = Journal(Path(asked["journal"]))
    config = load_config(asked["kubeconfig"]).config
    config.qps = -1.0
    if asked["host"]:
        config.host = asked["host"]
    with RESTClient(config) as client:
        life = 0
        while not stop.is_set():
            life += 1
            stand(
                client,
                asked["namespace"],
                f"{asked['name']}-{life}",
                Timing(*asked["timing"]),
                Skewed(asked["skew"]),
                journal,
                stop,
            )


def stand(
    client: RESTClient,
    namespace: str,
    identity: str,
    timing: Timing,
    clock: Skewed,
    journal: Journal,
    stop: threading.Event,
) -> None:
    """One candidacy, told of on the standard output."""

    def lead(told: threading.Event) -> None:
        term = elector.term
        assert term is not None
        say("leads", term)
        acts = 0
        while not told.wait(_PAUSE):
            for guarded in (True, False):
                with contextlib.suppress(NotLeaderError):
                    journal.act(elector, term, guarded)
                    acts += 1
                if acts == _ENOUGH:
                    say("acts", term)

    elector = LeaderElector(
        LeaseLock(client, namespace, "contended", identity),
        *timing,
        on_started_leading=lead,
        on_stopped_leading=lambda: say("over", None),
        on_new_leader=lambda leader: say("sees", leader),
        release_on_cancel=True,
        clock=clock,
    )
    elector.run(stop)
    elector.join(LIMIT)


def say(what: str, about: Any) -> None:
    sys.stdout.write(json.dumps([what, about, time.monotonic()]) + "\n")
    sys.stdout.flush()


# ---- what a test sees of it ---------------------------------------------------------------------------------------


class Said(NamedTuple):
    """What a contender told, and when by the clock that all processes of a machine share."""

    what: str
    about: Any
    at: float


class Arena:
    """Several contenders and their journal. A context manager, which kills those that are left."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str, timing: Timing) -> None:
        self._path = folder / "journal"
        self.journal = Journal(self._path)
        self._kubeconfig, self._namespace = kubeconfig, namespace
        self.timing = timing
        self._changed = threading.Condition()  # guards what was said by each
        self._contenders: list[Contender] = []

    def contender(self, name: str, *, host: str = "", skew: float = 0.0) -> Contender:
        asked = {
            "journal": str(self._path),
            "kubeconfig": str(self._kubeconfig),
            "namespace": self._namespace,
            "host": host,
            "name": name,
            "timing": self.timing,
            "skew": skew,
        }
        made = Contender(name, asked, self._changed, self._path.with_name(f"{name}.log"))
        self._contenders.append(made)
        return made

    def leader(self, after: int = -1) -> tuple[Contender, Said]:
        """Wait for somebody who leads in a term after this one, and acts: who, and what was said when it began."""
        found: list[tuple[Contender, Said]] = []

        def look() -> bool:
            found[:] = [
                (each, said)
                for each in self._contenders
                for said in each.said
                if said.what == "leads" and said.about > after
            ]
            return bool(found) or all(each.over for each in self._contenders)

        with self._changed:
            self._changed.wait_for(look, LIMIT)
        assert found, "nobody leads" + "".join(each.story() for each in self._contenders)
        who, led = min(found, key=lambda pair: pair[1].at)
        who.wait_for("acts", led.about)
        return who, led

    def wait(self, seconds: float) -> None:
        """Let them contend for so long; whoever begins to lead meanwhile is in the journal."""
        with self._changed:
            self._changed.wait_for(lambda: False, seconds)

    def check(self) -> str:
        """Assert that no two led at once, and say how it went."""
        acts = self.journal.read()
        terms = [act.term for act in acts if not act.refused]
        leaders = {(act.term, act.who) for act in acts}
        assert terms == sorted(terms)
        assert [act for act in acts if act.refused and act.guarded] == []
        assert len({term for term, _ in leaders}) == len(leaders), f"two led in one term: {leaders}"
        refused = sum(act.refused for act in acts)
        return f"{len(acts)} acts in {len(leaders)} terms, of which {refused} too late, none of them guarded"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for each in self._contenders:
            each.kill()


class Contender:
    """One process."""

    def __init__(self, name: str, asked: dict[str, Any], changed: threading.Condition, log: Path) -> None:
        self.name = name
        self.said: list[Said] = []
        self.over = False  # this and the last are guarded by the condition
        self._told = False
        self._changed = changed
        self._log = log
        command = [sys.executable, "-m", "tests.integration.election", json.dumps(asked)]
        root = Path(__file__).resolve().parents[2]
        with log.open("w") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=root)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._changed:
                    self.said.append(Said(*json.loads(line)))
                    self._changed.notify_all()
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def story(self) -> str:
        """What it said and logged, for a test that fails."""
        return f"\n{self.name}, {self._process.poll()}: {self.said}\n{self._log.read_text()}"

    def wait_for(self, what: str, about: Any = None, after: float = 0.0) -> Said:
        """Wait until it says this, later than `after`."""

        def found() -> Said | None:
            matching = (each for each in self.said if (each.what, each.about) == (what, about) and each.at > after)
            return next(matching, None)

        with self._changed:
            said = self._changed.wait_for(found, LIMIT)
        assert said is not None, f"{self.name} did not say {what} {about}" + self.story()
        return said

    def signal(self, number: signal.Signals) -> float:
        """Send a signal; returns when."""
        now = time.monotonic()
        self._told = self._told or number == signal.SIGTERM
        self._process.send_signal(number)
        return now

    def kill(self) -> float:
        """End it without a word; returns when."""
        now = self.signal(signal.SIGKILL)
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        return now

    def end(self) -> int:
        """End it politely; returns its exit code. Told once is enough: a second time might meet it on its way out."""
        if not self._told:
            self.signal(signal.SIGTERM)
        return self._process.wait(LIMIT)


class Cable:
    """A connection to a server that can be cut: bytes are then taken and not passed on, as by a network that is split.

    A context manager.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname, target.port or (443 if target.scheme == "https" else 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{target.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._whole = threading.Event()
        self._whole.set()
        self._lock = threading.Lock()  # guards the rest
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def cut(self) -> float:
        """Pass nothing on from now; returns when."""
        self._whole.clear()
        return time.monotonic()

    def mend(self) -> None:
        """Pass on again, also what was held back."""
        self._whole.set()

    def _start(self, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                with self._lock:
                    self._sockets += [near, far]
                self._start(self._pass_on, near, far)
                self._start(self._pass_on, far, near)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                target.sendall(data)
        self._whole.wait()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.mend()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets, threads = list(self._sockets), list(self._threads)
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(LIMIT)
        for each in sockets:
            each.close()


if __name__ == "__main__":
    main()
