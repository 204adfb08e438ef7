"""Programs for the kubectl tests: kubectl itself, and whatever runs beside the tests as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT = 40.0
"""Seconds that anything may take."""


def binaries() -> list[Path]:
    """The oldest, the usual and the newest kubectl that is installed."""
    found = shutil.which("kubectl")
    if found is None:
        return []
    usual = Path(found).resolve()
    minors = {int(path.suffix[1:]): path for path in usual.parent.glob("kubectl.1.[0-9]*")}
    versioned = [minors[minor] for minor in sorted(minors)]
    return list(dict.fromkeys([*versioned[:1], usual, *versioned[-1:]]))


class Process:
    """A program that runs beside the tests; what it writes is kept."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-u", "-m", *map(str, words)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._lines: list[str] = []
        self._over = False
        self._written = threading.Condition()  # guards both
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._written:
                    self._lines.append(line)
                    self._written.notify_all()
        with self._written:
            self._over = True
            self._written.notify_all()

    def output(self) -> str:
        with self._written:
            return "".join(self._lines)

    def wait_for(self, text: str) -> None:
        """Wait until it has written this."""
        with self._written:
            self._written.wait_for(lambda: self._over or text in self.output(), LIMIT)
            assert text in self.output()

    def stop(self) -> int:
        """End it as a supervisor does; returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=15)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()


class Kubectl:
    """One kubectl, talking to one namespace, with a home and a cache of its own."""

    def __init__(self, binary: Path, kubeconfig: Path, home: Path, namespace: str) -> None:
        self._command = [str(binary), "--kubeconfig", str(kubeconfig), "--namespace", namespace]
        self._env = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECACHEDIR": str(home / "cache")}

    def __call__(self, *words: str, stdin: str | None = None, **environment: str) -> str:
        """What it prints. Fails the test when kubectl does."""
        done = self._run(words, stdin, environment)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def refused(self, *words: str, stdin: str | None = None) -> str:
        """Why it fails."""
        done = self._run(words, stdin, {})
        assert done.returncode != 0, f"kubectl {' '.join(words)} should fail: {done.stdout}"
        return done.stderr

    def run(self, *words: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """All that came of it, whether it failed or not."""
        return self._run(words, stdin, environment)

    def _run(self, words, stdin, environment) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=self._env | environment,
            check=False,
        )

    @contextmanager
    def watching(self, *words: str) -> Iterator[Iterator[str]]:
        """The lines of `get --watch` as they come. They end when the time is up."""
        command = [*self._command, "get", *words, "--watch", "--no-headers"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._env) as process:
            alarm = threading.Timer(LIMIT, process.kill)
            alarm.start()
            try:
                assert process.stdout is not None
                yield iter(process.stdout)
            finally:
                alarm.cancel()
                process.kill()

    def wait(self, what: str, *for_: str) -> None:
        self("wait", what, *(f"--for={each}" for each in for_), f"--timeout={LIMIT - 10:.0f}s")


def number(binary: Path) -> str:
    """The minor version in its name."""
    return binary.name.rpartition(".")[2] if "." in binary.name else "usual"
