"""A real API server for tests: etcd and kube-apiserver, run by the process that tests.

    with ControlPlane(crds=["config/crd"]) as server:
        clientset = Clientset(server.config)

The programs are found as `control_plane_binaries` says. It has the surface of `k8srt.testing.APIServer`: `url`,
`config`, `config_for`, `client_certificate`, `kubeconfig`. It is a control plane and no cluster: there is no controller
manager, no scheduler, no kubelet. Owned objects are not collected, deleted namespaces stay `Terminating`, deployments
make no pods, and namespaces have no service accounts.

Needs the package `cryptography`, of the extra `tls`.

Contract: ETE-01 to ETE-06.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from k8srt.errors import AlreadyStarted, ConfigError, K8srtError, TransportError
from k8srt.testing.apiserver.tls import SERVICE_NAMES
from k8srt.testing.control_plane_binaries import duration, find_binary
from k8srt.testing.control_plane_process import ControlPlaneFailed, GuardedProcess
from k8srt.util.certificates import Authority, Pair
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.manifests.sources import Source
    from k8srt.rest import Config

log = logging.getLogger(__name__)

TRIES = 5
TIMEOUT = 20.0
DEFAULT_NAMESPACE_TIMEOUT = 5.0
QPS, BURST = 1000.0, 2000
MASTERS = "system:masters"
_ADMIN = "k8srt-admin"


class ControlPlane:
    """See the module. A context manager; `start` and `stop` may be called instead. Starting twice raises.

    `bin_dir` is where the programs may be. `crds` are definitions to install: files, folders, YAML texts, objects.
    `start_timeout` and `stop_timeout` (seconds) hold for each program; None means 20, or what
    `$KUBEBUILDER_CONTROLPLANE_START_TIMEOUT` and `…_STOP_TIMEOUT` say. `attach_output` lets the programs write where
    this process does; None means what `$KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT` says. `api_server_flags` and
    `etcd_flags` are added to those that are needed. With `use_existing_cluster`, or `$USE_EXISTING_CLUSTER`, nothing is
    started and the current context of the kubeconfig is used. With `clean_up_after_use`, `stop` deletes the `crds`.
    """

    def __init__(
        self,
        bin_dir: str | os.PathLike[str] | None = None,
        *,
        crds: Iterable[Source] = (),
        error_if_path_missing: bool = True,
        clean_up_after_use: bool = False,
        start_timeout: float | None = None,
        stop_timeout: float | None = None,
        attach_output: bool | None = None,
        api_server_flags: Sequence[str] = (),
        etcd_flags: Sequence[str] = (),
        use_existing_cluster: bool | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Starts nothing. Raises BinaryNotFound, and ConfigError for a timeout in the environment that is none."""
        existing = _flag("USE_EXISTING_CLUSTER") if use_existing_cluster is None else use_existing_cluster
        self._start_timeout = _timeout("START", start_timeout)
        self._stop_timeout = _timeout("STOP", stop_timeout)
        output = "KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT"
        self._attach = _flag(output) if attach_output is None else attach_output
        self._crds = list(crds)
        self._missing_is_error = error_if_path_missing
        self._clean_up = clean_up_after_use
        self._flags = {"etcd": list(etcd_flags), "kube-apiserver": list(api_server_flags)}
        self._clock = clock
        self._existing = existing
        self._programs = {} if existing else {name: find_binary(name, bin_dir) for name in ("etcd", "kube-apiserver")}
        self._bin_dir = bin_dir
        self._lock = threading.Lock()  # guards the two flags
        self._started = self._stopped = False
        self._authority: Authority | None = None
        self._folder = ""
        self._etcd: GuardedProcess | None = None
        self._api_server: GuardedProcess | None = None
        self._url = ""
        self._config: Config | None = None
        self.token = ""
        """A bearer token of an administrator's; empty before the start, and for a cluster that was there already."""

    # ---- life -----------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start both programs, and install the definitions; return once namespace `default` is there.

        Raises ControlPlaneFailed, saying what the program wrote last, ConfigError without `cryptography`, and what is
        wrong with the definitions; nothing is left running then.
        """
        with self._lock:
            if self._started:
                raise AlreadyStarted("this control plane was started already")
            self._started = True
        atexit.register(self.stop)
        try:
            if self._existing:
                self._use_existing()
            else:
                self._launch()
                self._await_default_namespace()
            self._install()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the API server, then etcd, and remove what they kept. Twice is fine. Raises ControlPlaneFailed."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        atexit.unregister(self.stop)
        try:
            if self._clean_up and self._config is not None:
                self._uninstall()
        finally:
            self._halt()

    def _halt(self) -> None:
        try:
            if self._api_server is not None:
                self._api_server.stop(self._stop_timeout)
        finally:
            try:
                if self._etcd is not None:
                    self._etcd.stop(self._stop_timeout)
            finally:
                self._api_server = self._etcd = None
                if self._folder:
                    shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # ---- starting -------------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Both programs, from the beginning if one fails: the ports that were free may be taken by now."""
        for left in reversed(range(TRIES)):
            try:
                self._launch_once()
            except ControlPlaneFailed as err:
                self._halt()
                if not left:
                    raise
                log.warning("starting again, %d tries are left: %s", left, err)
            else:
                return

    def _launch_once(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="k8srt-control-plane-")
        folder = Path(self._folder)
        self._authority = Authority.new()
        etcd_url = f"http://127.0.0.1:{free_port()}"
        self._etcd = self._process("etcd", _etcd_flags(folder, etcd_url), folder, owned=self._folder)
        self._etcd.start(lambda: _answers(etcd_url, "/health"), self._start_timeout)
        port = free_port()
        flags = self._write_credentials(folder)
        self._api_server = self._process("kube-apiserver", [*_api_server_flags(folder, etcd_url, port), *flags], folder)
        self._url = f"https://127.0.0.1:{port}"
        self._config = self._config_of(_ADMIN, (MASTERS,))
        authority = self._ca().pair.certificate
        self._api_server.start(lambda: _answers(self._url, "/readyz", authority, self.token), self._start_timeout)

    def _process(self, name: str, flags: Sequence[str], folder: Path, owned: str = "") -> GuardedProcess:
        return GuardedProcess(
            self._programs[name],
            [*flags, *self._flags[name]],
            folder / f"{name}.log",
            folder=owned,
            attach=self._attach,
            clock=self._clock,
        )

    def _write_credentials(self, folder: Path) -> list[str]:
        authority = self._ca()
        self.token = secrets.token_hex(16)
        serving = authority.for_server((*SERVICE_NAMES, "localhost", "127.0.0.1", "::1"), common_name="kube-apiserver")
        signing = authority.for_server(("service-accounts",))
        for name, content in (
            ("ca.crt", authority.pair.certificate),
            ("apiserver.crt", serving.certificate),
            ("apiserver.key", serving.key),
            ("sa.crt", signing.certificate),
            ("sa.key", signing.key),
            ("tokens.csv", f'{self.token},{_ADMIN},{_ADMIN},"{MASTERS}"\n'.encode()),
        ):
            path = folder / name
            path.touch(0o600)
            path.write_bytes(content)
        return [f"--token-auth-file={folder / 'tokens.csv'}"]

    def _await_default_namespace(self) -> None:
        from k8srt.kubernetes import Clientset
        from k8srt.testing.asserting import eventually

        with Clientset(self.config) as cs:
            eventually(
                lambda: cs.core_v1.namespaces().get("default"), timeout=DEFAULT_NAMESPACE_TIMEOUT, clock=self._clock
            )

    def _use_existing(self) -> None:
        from k8srt.tools.clientcmd import load_config

        config = load_config().config
        config.qps, config.burst = QPS, BURST
        self._config, self._url = config, config.base_url()

    # ---- definitions ----------------------------------------------------------------------------------------------

    def _install(self) -> None:
        if self._crds:
            from k8srt.kubernetes import Clientset
            from k8srt.testing.crds import install_crds

            with Clientset(self.config) as cs:
                install_crds(cs, *self._crds, error_if_path_missing=self._missing_is_error, clock=self._clock)

    def _uninstall(self) -> None:
        from k8srt.kubernetes import Clientset
        from k8srt.testing.crds import uninstall_crds

        try:
            with Clientset(self.config) as cs:
                uninstall_crds(cs, *self._crds, error_if_path_missing=False)
        except K8srtError as err:
            log.warning("the definitions could not be deleted: %s", err)

    # ---- how to reach it ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the API server listens. Raises RuntimeError before the start."""
        return self.config.base_url()

    @property
    def config(self) -> Config:
        """A client configuration of an administrator's, by client certificate: 1000 requests a second, 2000 at once.

        Raises RuntimeError before the start.
        """
        if self._config is None:
            raise RuntimeError("the control plane has not been started")
        return self._config.copy()

    def config_for(self, user: str, *groups: str) -> Config:
        """A client configuration as `config`, for another user, in `groups`: by a certificate, or in a cluster that
        was there already by impersonation. Raises ValueError without a name."""
        if not user:
            raise ValueError("a user has a name")
        if self._existing:
            return self.config.impersonating(user, groups=list(groups))
        return self._config_of(user, groups)

    add_user = config_for

    def client_certificate(self, user: str, *groups: str) -> Pair:
        """A certificate and key, in PEM, with which a client is `user`, in `groups`. Raises ConfigError for a cluster
        that was there already."""
        return self._ca().for_client(user, groups)

    def kubeconfig(self, user: str = "", *groups: str) -> str:
        """A kubeconfig, as YAML text, of an administrator or of another user."""
        from k8srt.testing.control_plane_kubeconfig import current_kubeconfig, kubeconfig_of

        if self._existing:
            return current_kubeconfig(user, groups)
        return kubeconfig_of(self.config_for(user, *groups) if user else self.config)

    def kubectl(self) -> Path:
        """The path of kubectl, found as the other programs are. Raises BinaryNotFound."""
        return find_binary("kubectl", self._bin_dir)

    def _ca(self) -> Authority:
        if self._authority is None:
            raise ConfigError("there is no authority to issue certificates: the control plane is not one of its own")
        return self._authority

    def _config_of(self, user: str, groups: Iterable[str]) -> Config:
        from k8srt.rest import Config
        from k8srt.transport.tls import TLSConfig

        authority = self._ca()
        pair = authority.for_client(user, groups)
        trust = TLSConfig(ca_data=authority.pair.certificate, cert_data=pair.certificate, key_data=pair.key)
        return Config(host=self._url, tls=trust, qps=QPS, burst=BURST)

    def __repr__(self) -> str:
        state = "stopped" if self._stopped else "running" if self._started else "not started"
        return f"<ControlPlane {self._url or 'nowhere yet'}: {state}>"


def _etcd_flags(folder: Path, url: str) -> list[str]:
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync=true",
    ]


def _api_server_flags(folder: Path, etcd_url: str, port: int) -> list[str]:
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder}",
        f"--tls-cert-file={folder / 'apiserver.crt'}",
        f"--tls-private-key-file={folder / 'apiserver.key'}",
        f"--client-ca-file={folder / 'ca.crt'}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://127.0.0.1:443/",
        f"--service-account-key-file={folder / 'sa.crt'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged=true",
    ]


def free_port() -> int:
    """A port of this machine that nobody listened at a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(url: str, path: str, authority: bytes = b"", token: str = "") -> bool:
    """Whether a GET is answered with 200."""
    from k8srt.transport.client import Transport
    from k8srt.transport.tls import TLSConfig

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = Transport(url, tls=TLSConfig(ca_data=authority), connect_timeout=1.0, read_timeout=1.0)
    try:
        reply = transport.send("GET", path, headers=headers)
        reply.read()
        return reply.status == 200
    except TransportError:
        return False
    finally:
        transport.close()


def _flag(variable: str) -> bool:
    return os.environ.get(variable, "").lower() == "true"


def _timeout(which: str, given: float | None) -> float:
    if given is not None:
        return given
    variable = f"KUBEBUILDER_CONTROLPLANE_{which}_TIMEOUT"
    text = os.environ.get(variable, "")
    try:
        return duration(text) if text else TIMEOUT
    except ValueError as err:
        raise ConfigError(f"${variable}: {err}") from None
