"""Credentials from a program: the exec plugins of kubeconfigs, as kubectl runs them.

A program is run when its credentials are first needed, when they have expired, and after the server refused them; once
for all threads that wait. Clients whose configuration is the same share what it gave.

Contract: REST-55 to REST-61, USR-11 to USR-13.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from collections.abc import Mapping

from k8srt.errors import ConfigError, CredentialsError, Stopped
from k8srt.transport import exec_figures as figures
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.connections import Interrupt
from k8srt.transport.exec_info import VARIABLE, VERSIONS, Credentials, ExecCluster, parse_answer, request_json
from k8srt.transport.exec_process import Finished, is_terminal, run
from k8srt.transport.flight import SingleFlight
from k8srt.transport.headers import MASK
from k8srt.transport.shared import Shared
from k8srt.transport.tls import ClientCertificate
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

LIMIT, LIMIT_WITH_A_PERSON = 60.0, 600.0
"""Seconds that a program may take, and one that can ask a person."""

_MODES = ("Never", "IfAvailable", "Always")
_HINTS, _HINT_PERIOD = 10, 3600.0
_HELP = """

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"""

_TOKENS = re.compile(r"eyJ[\w-]+\.[\w.-]+|(?<=Bearer )\S+")
_SECRET_NAME = re.compile("TOKEN|SECRET|PASSW|KEY|CREDENTIAL", re.IGNORECASE)

_shared: Shared[ExecAuthorizer] = Shared()


def exec_authorizer(program: ExecConfig, cluster: ExecCluster | None, clock: Clock = SYSTEM) -> ExecAuthorizer:
    """Return what authorizes by this program; the same one for the same configuration and cluster.

    Raises ConfigError for a configuration that cannot be used. Runs nothing. Contract: REST-60.
    """
    _check(program)
    try:
        extension = json.dumps(program.config, sort_keys=True)
    except (TypeError, ValueError) as err:
        raise ConfigError(f"exec_provider.config: cannot be written as JSON: {err}") from None
    key = (
        *(program.command, tuple(program.args), tuple(map(tuple, program.env)), program.api_version),
        *(program.install_hint, program.interactive_mode, program.timeout, program.policy),
        *(program.stdin_unavailable, program.stdin_unavailable_message, extension, cluster, clock),
    )
    return _shared.get(key, lambda: ExecAuthorizer(program, cluster, clock))


class _Held:
    """Credentials, when they came, and whether the server refused them since."""

    def __init__(self, credentials: Credentials, obtained_at: float) -> None:
        self.credentials = credentials
        self.obtained_at = obtained_at
        self.rejected = False


class ExecAuthorizer:
    """Asks a program for a token, a certificate, or both. Thread-safe, also across a fork.

    Times of expiry are compared with the wall time of `clock`. Raises ConfigError for a configuration that cannot be
    used.
    """

    def __init__(self, program: ExecConfig, cluster: ExecCluster | None = None, clock: Clock = SYSTEM) -> None:
        _check(program)
        self._program = program = copy.deepcopy(program)  # what its owner does with it is no matter of ours
        self._cluster = cluster
        self._clock = clock
        self._hints = _Sparingly(clock)
        self._held: _Held | None = None
        self._flight = SingleFlight(
            f"exec: executable {program.command}", self._look, self._fetch, limit=_limit(program), clock=clock
        )

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str | None:
        """The header's value; None when the program gives a certificate only. Raises as `Authorizer`."""
        token = self._flight.get(deadline, interrupt).credentials.token
        return f"Bearer {token}" if token else None

    def client_certificate(
        self, deadline: float | None = None, interrupt: Interrupt | None = None
    ) -> ClientCertificate | None:
        """The certificate to show; None when the program gives none. Raises as `authorization`."""
        return self._flight.get(deadline, interrupt).credentials.certificate

    def rejected(self, asked_at: float) -> None:
        """The next request has the program run again, unless that has happened since. Contract: REST-59."""
        held = self._held
        if held is not None and held.obtained_at <= asked_at:
            held.rejected = True

    def _look(self) -> _Held | None:
        held = self._held
        if held is None or held.rejected:
            return None
        expires = held.credentials.expires
        return None if expires is not None and self._clock.time() > expires else held

    def _fetch(self, stop: Stop) -> _Held:
        program = self._program
        if program.policy is not None:
            program.policy.check(program.command)
        interactive = _may_ask(program)
        done = self._run(interactive, stop)
        try:
            credentials = parse_answer(done.output, program.api_version)
        except ConfigError as err:
            raise CredentialsError(f"getting credentials: exec plugin {program.command}: {err}") from None
        old, held = self._held, _Held(credentials, self._clock.now())
        self._held = held
        before = None if old is None else old.credentials.certificate
        figures.EXPIRIES.renewed(self, before, credentials.certificate, self._clock.time())
        return held

    def _run(self, interactive: bool, stop: Stop) -> Finished:
        """Run it to a good end. Raises CredentialsError. Contract: REST-56, REST-61."""
        program = self._program
        env = {**os.environ, **dict(program.env)}
        env[VARIABLE] = request_json(program.api_version, interactive=interactive, cluster=self._cluster)
        # Found as kubectl finds it: on the path of this process, not on the one it is given.
        path = program.command if os.sep in program.command else shutil.which(program.command)
        try:
            if path is None:
                raise FileNotFoundError
            done = run([path, *program.args], env=env, stdin=interactive, stop=stop, limit=_limit(program))
        except FileNotFoundError:
            figures.called(1, figures.NOT_FOUND)
            raise self._missing() from None
        except (OSError, ValueError) as err:
            figures.called(1, figures.NOT_RUN)
            reason = (err.strerror if isinstance(err, OSError) else None) or err
            raise self._error(f"cannot be run: {reason}") from None
        except CredentialsError as err:
            figures.called(1, figures.FAILED)
            raise self._error(str(err)) from None
        except Stopped:
            figures.called(1, figures.FAILED)
            raise self._error(f"did not end within {_limit(program):g} seconds") from None
        figures.called(done.code, figures.FAILED if done.code else figures.NO_ERROR)
        if done.code:
            said = _harmless(done.complaint, dict(program.env))
            raise self._error(f"failed with exit code {done.code}{f': {said}' if said else ''}", done.code)
        return done

    def _error(self, reason: str, code: int | None = None) -> CredentialsError:
        return CredentialsError(
            f"getting credentials: exec: executable {self._program.command} {reason}", exit_code=code
        )

    def _missing(self) -> CredentialsError:
        hint = f"\n\n{self._program.install_hint}" if self._program.install_hint else ""
        return self._error(f"not found{_HELP}{hint}" if self._hints.once_more() else "not found")

    def __repr__(self) -> str:
        return f"ExecAuthorizer({self._program.command!r}, {MASK!r})"


class _Sparingly:
    """Says yes ten times, then once an hour. Asked by one thread at a time. Contract: REST-61."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._last = 0.0

    def once_more(self) -> bool:
        now = self._clock.now()
        if self._count >= _HINTS and now - self._last < _HINT_PERIOD:
            return False
        self._count, self._last = self._count + 1, now
        return True


def _check(program: ExecConfig) -> None:
    """Contract: REST-55, KCFG-25."""
    if not program.command:
        raise ConfigError("exec_provider: no command is given")
    if program.api_version not in VERSIONS:
        known = " or ".join(VERSIONS)
        raise ConfigError(f"exec plugin: invalid apiVersion {program.api_version!r}: must be {known}")
    if program.interactive_mode and program.interactive_mode not in _MODES:
        raise ConfigError(f"exec plugin: unknown interactiveMode {program.interactive_mode!r}: {', '.join(_MODES)}")
    args: object = program.args
    if not isinstance(args, (list, tuple)) or not all(isinstance(each, str) for each in args):
        raise ConfigError("exec_provider.args: expected a list of texts")
    env: object = program.env
    if not isinstance(env, (list, tuple)) or not all(_is_pair(each) for each in env):
        raise ConfigError("exec_provider.env: expected a list of pairs of texts, name and value")
    if not all(name for name, _ in program.env):
        raise ConfigError("exec_provider.env: a variable has no name")
    if program.timeout < 0:
        raise ConfigError(f"exec_provider.timeout: must not be negative, got {program.timeout!r}")
    if program.policy is not None:
        program.policy.validate()


def _is_pair(value: object) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(each, str) for each in value)


def _limit(program: ExecConfig) -> float:
    if program.timeout:
        return program.timeout
    return LIMIT_WITH_A_PERSON if program.interactive_mode != "Never" and is_terminal(0) else LIMIT


def _may_ask(program: ExecConfig) -> bool:
    """Whether the program gets standard input. Raises CredentialsError. Contract: REST-57."""
    mode = program.interactive_mode or "IfAvailable"
    if mode == "Never":
        return False
    terminal = is_terminal(0)
    if mode == "Always":
        reason = ""
        if not terminal:
            reason = "standard input is not a terminal"
        elif program.stdin_unavailable:
            message = program.stdin_unavailable_message
            reason = f"standard input is unavailable{f': {message}' if message else ''}"
        if reason:
            about = f"getting credentials: exec: executable {program.command}"
            raise CredentialsError(f"{about}: exec plugin cannot support interactive mode: {reason}")
    return terminal and not program.stdin_unavailable


def _harmless(text: str, env: Mapping[str, str]) -> str:
    """What a program said, without what looks like a token and without the secrets it was given."""
    for name, value in env.items():
        if value and _SECRET_NAME.search(name):
            text = text.replace(value, MASK)
    return _TOKENS.sub(MASK, text)
