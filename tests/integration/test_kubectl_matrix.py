"""Every kubectl of the machine against the embedded server: what people type, and what it should say.

The rows are in `kubectl_commands`. The oldest and the newest type everything, the others the core, each area in a
namespace of its own. Where there is no kubectl, the tests are skipped.
"""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from k8srt.testing import APIServer, Simulation
from tests.integration.kubectl_commands import AREAS, CORE, FILES, SIMULATED, Row
from tests.integration.programs import LIMIT, Kubectl

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl, pytest.mark.timeout(120)]

AT_ONCE = 3
"""How many versions type at a time."""


def every() -> list[Path]:
    """Each kubectl of the machine with its version in its name, the oldest first; or the only one there is."""
    usual = shutil.which("kubectl")
    if usual is None:
        return []
    found = Path(usual).resolve().parent.glob("kubectl.1.[0-9]*")
    return sorted(found, key=lambda path: int(path.suffix[1:])) or [Path(usual)]


def ends() -> list[Path]:
    """The oldest and the newest."""
    return list(dict.fromkeys([*every()[:1], *every()[-1:]]))


def minor(binary: Path) -> int:
    digits = binary.suffix[1:]
    return int(digits) if digits.isdigit() else 99


def name(binary: Path | None) -> str:
    return "none" if binary is None else binary.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the commands speak of."""
    folder = tmp_path_factory.mktemp("files")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    key, request = _certificate(folder)
    (folder / "tls.key").write_bytes(key)
    (folder / "request.pem").write_bytes(request)
    return folder


def _certificate(folder: Path) -> tuple[bytes, bytes]:
    """A key with its certificate (written to the folder), and a request for another."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=start.year + 50))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "tls.crt").write_bytes(certificate.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, *plain), made.public_bytes(pem)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not every():
        pytest.skip("there is no kubectl on the PATH")
    with APIServer() as server:
        path = tmp_path_factory.mktemp("cluster") / "kubeconfig"
        path.write_text(server.kubeconfig())
        yield path


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """A home for each version, in which it keeps what it found out about the server."""
    return {binary: tmp_path_factory.mktemp(binary.name) for binary in every()}


class Session:
    """One kubectl in a namespace of its own, and the words that commands may use."""

    def __init__(self, binary: Path, kubeconfig: Path, home: Path, folder: Path, area: str) -> None:
        self.minor = minor(binary)
        self._folder = folder
        self.namespace = f"{area}-{self.minor}"
        self.kubectl = Kubectl(binary, kubeconfig, home, self.namespace)
        self.kubectl("create", "namespace", self.namespace)

    def filled(self, text: str) -> str:
        if "@UID" in text:
            text = text.replace("@UID", self.kubectl("get", "deployment", "web", "-o", "jsonpath={.metadata.uid}"))
        if "@REQUEST" in text:
            request = (self._folder / "request.pem").read_bytes()
            text = text.replace("@REQUEST", base64.b64encode(request).decode())
        text = text.replace("@NS", self.namespace).replace("@ME", f"me-{self.namespace}")
        return text.replace("@FOLDER", str(self._folder))

    def type(self, rows: list[Row]) -> list[str]:
        """Type the rows one after the other; returns what differs."""
        return [wrong for row in rows if self.minor >= row.since and (wrong := self._typed(row))]

    def _typed(self, row: Row) -> str:
        """What is wrong with what was said, or nothing."""
        environment = {"KUBECTL_APPLYSET": "true", "GOGC": "off"}  # nothing lives long enough to collect
        if row.editor:
            environment["KUBE_EDITOR"] = f"sed -i '{row.editor}'"
        words = shlex.split(self.filled(row.command))
        done = self.kubectl.run(*words, stdin=self.filled(row.stdin) or None, **environment)
        pattern = re.compile(self.filled(row.says))
        found = any(pattern.search(part.strip()) for part in (done.stdout, done.stderr))
        if found and (done.returncode != 0) is row.fails:
            return ""
        said = f"{done.stdout}{done.stderr}(exit {done.returncode}, not {row.says!r})"
        return f"$ kubectl.1.{self.minor} {row.command}\n{said}"


Together = Callable[[list[Path], str, list[Row]], list[str]]


@pytest.fixture
def together(
    kubeconfig: Path, homes: dict[Path, Path], folder: Path
) -> Callable[[list[Path], str, list[Row]], list[str]]:
    """Has several versions type the same rows at once; returns what differs."""

    def type_rows(binaries: list[Path], area: str, rows: list[Row]) -> list[str]:
        def one(binary: Path) -> list[str]:
            return Session(binary, kubeconfig, homes[binary], folder, area).type(rows)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [wrong for found in pool.map(one, binaries) for wrong in found]

    return type_rows


def test_what_is_typed_most_in_every_version(together):
    wrong = together(every()[1:-1], "core", CORE)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("area", AREAS)
def test_everything_in_the_oldest_and_the_newest(area, together):
    wrong = together(ends(), area, AREAS[area])

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("binary", ends() or [None], ids=name)
def test_workloads_that_are_simulated(binary, tmp_path, folder):
    if binary is None:
        pytest.skip("there is no kubectl on the PATH")
    quick = Simulation(nodes=2, start=(0.02, 0.05), run=(0.02, 0.05), stop=(0.02, 0.05))
    with APIServer(simulate=quick) as server:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig())

        wrong = Session(binary, kubeconfig, tmp_path, folder, "simulated").type(SIMULATED)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("binary", ends() or [None], ids=name)
@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ([], r"^watched +1 +\d+s$", r"^watched +2 +\d+s$"),
        (["-o", "name"], r"^configmap/watched$", r"^configmap/watched$"),
        (["-o", "jsonpath={.data}{'\\n'}"], r'^\{"a":"1"\}$', r'"b":"2"'),
        (["-o", "custom-columns=V:.data.b"], "^<none>$", "^2$"),
        (["--output-watch-events"], "^ADDED +watched ", "^MODIFIED +watched "),
        (["-o", "json"], r'^\{$', r'"b": "2"'),
    ],
)  # fmt: skip
def test_watches_in_every_form(binary, options, first, second, kubeconfig, homes):
    kubectl = Kubectl(binary, kubeconfig, homes[binary], "default")
    kubectl("delete", "configmap", "watched", "--ignore-not-found")
    kubectl("create", "configmap", "watched", "--from-literal=a=1")

    with kubectl.watching("configmaps", "--field-selector=metadata.name=watched", *options) as lines:
        assert re.search(first, next(lines).rstrip("\n"))

        kubectl("patch", "configmap", "watched", "-p", '{"data":{"b":"2"}}')

        assert any(re.search(second, line.rstrip("\n")) for line in lines)


@pytest.mark.parametrize("binary", ends() or [None], ids=name)
def test_a_proxy_hands_on_requests_and_watches(binary, kubeconfig):
    command = [str(binary), "--kubeconfig", str(kubeconfig), "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout is not None
            address = proxy.stdout.readline().split()[-1]
            with urllib.request.urlopen(f"http://{address}/api/v1/namespaces/default", timeout=LIMIT) as answer:
                assert b'"name":"default"' in answer.read()
            watch = f"http://{address}/api/v1/namespaces?watch=true&timeoutSeconds=5"
            with urllib.request.urlopen(watch, timeout=LIMIT) as stream:
                assert b'"type":"ADDED"' in stream.readline()
        finally:
            proxy.kill()


@pytest.mark.parametrize("binary", ends() or [None], ids=name)
def test_who_one_is_over_https(binary, tmp_path):
    if binary is None:
        pytest.skip("there is no kubectl on the PATH")
    with APIServer(tls=True, authorization_mode="RBAC") as server:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig())
        kubectl = Kubectl(binary, kubeconfig, tmp_path, "default")

        if minor(binary) >= 28:
            assert re.search(r"Username +system:admin\n", kubectl("auth", "whoami"))
        assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
        assert "cannot list resource" in kubectl.refused("get", "pods", "--as=jane")
        assert kubectl.run("auth", "can-i", "list", "pods", "--as=jane").stdout.strip() == "no"
        kubectl(
            "create", "rolebinding", "viewers", "--clusterrole=view", "--user=jane", "--serviceaccount=default:robot"
        )
        kubectl("create", "serviceaccount", "robot")
        assert kubectl("auth", "can-i", "list", "pods", "--as=jane").strip() == "yes"
        assert re.search(r"pods +\[\] +\[\] +\[get list watch\]", kubectl("auth", "can-i", "--list", "--as=jane"))

        token = kubectl("create", "token", "robot").strip()
        path = tmp_path / "robot"
        path.write_text(re.sub(r"token: .*", f"token: {token}", server.kubeconfig()))
        robot = Kubectl(binary, path, tmp_path, "default")
        assert '"items": []' in robot("get", "configmaps", "-o", "json")
        assert 'User "system:serviceaccount:default:robot" cannot create' in robot.refused("create", "configmap", "a")
