"""Stand-ins for etcd and kube-apiserver: programs with their flags, the second one with the embedded server within.

They let everything of `ControlPlane` be tested where the real ones are not installed. What they find in the environment
makes them misbehave: `FAKE_ETCD` and `FAKE_APISERVER` are "fails", "fails once", "never ready", "does not end" or "ends
when asked twice".
"""

from __future__ import annotations

import sys
from pathlib import Path

_COMMON = """#!{python}
import argparse, os, signal, sys, threading, time
from pathlib import Path

def flags():
    found = {{}}
    for word in sys.argv[1:]:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals:
            sys.exit("unknown flag: " + word)
        found.setdefault(name, []).append(value)
    return argparse.Namespace(**{{name.replace("-", "_"): values[-1] for name, values in found.items()}})

def behave(how, folder):
    asked = []
    if how == "does not end":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif how == "ends when asked twice":
        signal.signal(signal.SIGTERM, lambda *_: stop.set() if asked else asked.append(True))
    elif how != "never ready":
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    (folder / (Path(sys.argv[0]).name + ".pid")).write_text(str(os.getpid()))
    print("starting", how, flush=True)
    if how == "fails":
        sys.exit("cannot bind: address already in use")
    if how == "fails once":
        marker = Path(os.environ["FAKE_FOLDER"], "failed")
        if not marker.exists():
            marker.touch()
            sys.exit("cannot bind: address already in use")
    if how == "never ready":
        time.sleep(600)
stop = threading.Event()
note = Path(os.environ["FAKE_FOLDER"])
"""

_ETCD = (
    _COMMON
    + """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
args = flags()
assert args.advertise_client_urls == args.listen_client_urls
Path(args.data_dir).mkdir()
Path(args.data_dir, "member").write_text("kept")
behave(os.environ.get("FAKE_ETCD", ""), note)

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{{"health":"true"}}'
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", int(args.listen_client_urls.rpartition(":")[2])), Health)
threading.Thread(target=server.serve_forever, daemon=True).start()
stop.wait()
(note / "order").open("a").write("etcd\\n")
"""
)

_APISERVER = (
    _COMMON
    + """
import urllib.request
from k8srt.testing.apiserver.auth import read_token_file
from k8srt.testing.apiserver.server import APIServer
args = flags()
behave(os.environ.get("FAKE_APISERVER", ""), note)
assert urllib.request.urlopen(args.etcd_servers + "/health", timeout=5).status == 200
for path in (args.service_account_key_file, args.service_account_signing_key_file):
    assert b"-----BEGIN" in Path(path).read_bytes()
server = APIServer(
    int(args.secure_port),
    address=args.bind_address,
    authorization_mode=args.authorization_mode,
    certificate=args.tls_cert_file,
    private_key=args.tls_private_key_file,
    client_ca=args.client_ca_file,
    tokens=read_token_file(args.token_auth_file),
    garbage_collection=False,
    namespace_controller=False,
    default_service_accounts=False,
)
# The embedded server looks for service accounts always; a real one has been told not to.
server.load({{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {{"name": "default", "namespace": "default"}}}})
with server:
    stop.wait()
(note / "order").open("a").write("kube-apiserver\\n")
"""
)


def write_programs(folder: Path) -> Path:
    """A folder with `etcd`, `kube-apiserver` and `kubectl`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("etcd", _ETCD), ("kube-apiserver", _APISERVER), ("kubectl", "#!/bin/sh\n")):
        program = folder / name
        program.write_text(text.format(python=sys.executable))
        program.chmod(0o755)
    return folder
