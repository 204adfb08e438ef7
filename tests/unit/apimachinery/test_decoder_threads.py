"""Decoders are made by whichever thread needs one first, in a fresh process by several at once."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
sys.setswitchinterval(1e-6)
from k8srt.api.apps.v1 import Deployment, ReplicaSet
from k8srt.api.core.v1 import Pod

POD = {"containers": [{"name": "a", "ports": [{"containerPort": 1}]}], "volumes": [{"name": "x", "emptyDir": {}}]}
SET = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}}
together = threading.Barrier(4)

def decode(cls, spec):
    obj = cls.from_dict({"metadata": {"name": "a"}, "spec": spec, "status": {"conditions": [{"type": "x"}]}})
    together.wait()
    assert obj.metadata.name and obj.spec and obj.status

threads = [
    threading.Thread(target=decode, args=args)
    for args in ((Deployment, SET), (Deployment, SET), (ReplicaSet, SET), (Pod, POD))
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


def test_models_that_several_threads_decode_first_at_the_same_time():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=50, check=False)

    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
