"""What kubelets do: containers start, become ready, end and start again; pods that are deleted go after a while."""

from __future__ import annotations

import ipaddress
import zlib
from dataclasses import dataclass
from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import going, phase, with_condition
from k8srt.testing.apiserver.controllers.simulation.world import Key, World

JSON = dict[str, Any]
_WHO = "kubelet"
_NEVER = float("inf")


@dataclass
class _Plan:
    """When the next things happen to a pod, on the clock's scale."""

    uid: str
    start: float = _NEVER
    ready: float = _NEVER
    end: float = _NEVER
    again: float = _NEVER
    gone: float = _NEVER


class Kubelet:
    """Looks after all pods that have a node."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plans: dict[Key, _Plan] = {}
        self._addresses = 0

    def forget(self, key: Key) -> None:
        self._plans.pop(key, None)

    def reconcile(self, key: Key, pod: JSON) -> None:
        """Do what is due for a pod, and put down when to look again."""
        plan = self._plans.get(key)
        if plan is None or plan.uid != pod["metadata"]["uid"]:
            plan = self._plans[key] = _Plan(pod["metadata"]["uid"])
        if going(pod):
            self._stop(key, pod, plan)
        elif self._world.get("nodes", "", pod["spec"]["nodeName"]) is None:
            return  # nobody looks after it
        elif phase(pod) == "Pending":
            self._begin(key, pod, plan)
        elif phase(pod) == "Running":
            self._go_on(key, pod, plan)

    def _wait(self, key: Key, moment: float) -> None:
        self._world.after(max(moment - self._world.clock, 0.0), key)

    # ---- starting

    def _begin(self, key: Key, pod: JSON, plan: _Plan) -> None:
        world = self._world
        if plan.start is _NEVER:
            plan.start = world.clock + _seconds(pod, "start", world.between(world.options.start))
            self._wait(key, plan.start)
        if not (pod.get("status") or {}).get("startTime"):
            self._wait_for_containers(pod)
        elif world.clock >= plan.start:
            if _notes(pod).get("simulate/image") == "missing":
                self._miss_image(pod)
            else:
                self._run(key, pod, plan)

    def _wait_for_containers(self, pod: JSON) -> None:
        node = self._world.get("nodes", "", pod["spec"]["nodeName"]) or {}
        addresses = (node.get("status") or {}).get("addresses") or ()
        host = next((each["address"] for each in addresses if each["type"] == "InternalIP"), "")
        status = {**pod["status"], "startTime": self._world.now(), "hostIP": host, "hostIPs": [{"ip": host}]}
        if not host:
            del status["hostIP"], status["hostIPs"]
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        status["containerStatuses"] = [_container(each, waiting) for each in pod["spec"]["containers"]]
        first = {"waiting": {"reason": "PodInitializing"}}
        if pod["spec"].get("initContainers"):
            status["initContainerStatuses"] = [_container(each, first) for each in pod["spec"]["initContainers"]]
        self._conditions(pod, status, initialized=not pod["spec"].get("initContainers"), sandbox=False)
        self._world.set_status(pod, status, _WHO)

    def _miss_image(self, pod: JSON) -> None:
        world, node = self._world, pod["spec"]["nodeName"]
        status = dict(pod["status"])
        text = 'Back-off pulling image "{}"'
        status["containerStatuses"] = [
            _container(each, {"waiting": {"reason": "ImagePullBackOff", "message": text.format(each["image"])}})
            for each in pod["spec"]["containers"]
        ]
        if world.set_status(pod, status, _WHO) is not pod:
            image = pod["spec"]["containers"][0]["image"]
            world.event(pod, "Failed", f'Failed to pull image "{image}": not found', _WHO, kind="Warning", host=node)
            world.event(pod, "BackOff", text.format(image), _WHO, host=node)

    def _run(self, key: Key, pod: JSON, plan: _Plan) -> None:
        world, now = self._world, self._world.now()
        status = {**pod["status"], "phase": "Running"}
        address = self._address(pod["spec"]["nodeName"]) if not pod["spec"].get("hostNetwork") else status.get("hostIP")
        if address:
            status.update(podIP=address, podIPs=[{"ip": address}])
        if pod["spec"].get("initContainers"):
            done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
            inits = pod["spec"]["initContainers"]
            running = {"running": {"startedAt": now}}
            status["initContainerStatuses"] = [
                _container(each, running if each.get("restartPolicy") == "Always" else done, ready=True, id=True)
                for each in inits
            ]
        self._plan_end(pod, plan)
        delay = _readiness_delay(pod)
        plan.ready = world.clock + delay if delay else world.clock
        if _notes(pod).get("simulate/ready") == "false":
            plan.ready = _NEVER
        isready = plan.ready <= world.clock
        before = {each["name"]: each for each in status.get("containerStatuses") or ()}
        status["containerStatuses"] = [
            _container(each, {"running": {"startedAt": now}}, ready=isready, before=before.get(each["name"]), id=True)
            for each in pod["spec"]["containers"]
        ]
        self._conditions(pod, status, initialized=True, sandbox=True)
        world.set_status(pod, status, _WHO)
        for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
            self._tell_started(pod, container)
        for moment in (plan.ready, plan.end):
            if world.clock < moment < _NEVER:
                self._wait(key, moment)

    def _tell_started(self, pod: JSON, container: JSON) -> None:
        node, image, name = pod["spec"]["nodeName"], container["image"], container["name"]
        say = self._world.event
        say(pod, "Pulled", f'Container image "{image}" already present on machine', _WHO, host=node)
        say(pod, "Created", f"Container created: {name}", _WHO, host=node)
        say(pod, "Started", f"Container started: {name}", _WHO, host=node)

    def _plan_end(self, pod: JSON, plan: _Plan) -> None:
        ends = pod["spec"].get("restartPolicy") != "Always" or "simulate/run-seconds" in _notes(pod)
        if ends:
            options = self._world.options
            plan.end = self._world.clock + _seconds(pod, "run", self._world.between(options.run))

    def _address(self, node: str) -> str:
        """An address of the node's range, each a new one until they have all been used."""
        self._addresses += 1
        found = self._world.get("nodes", "", node) or {}
        try:
            network = ipaddress.ip_network(found["spec"]["podCIDR"])
        except (KeyError, ValueError):
            network = ipaddress.ip_network("10.244.0.0/16")
        return str(network[2 + self._addresses % max(network.num_addresses - 3, 1)])

    # ---- running

    def _go_on(self, key: Key, pod: JSON, plan: _Plan) -> None:
        world = self._world
        if plan.start is _NEVER:  # it ran before this kubelet knew it
            plan.start, plan.ready = world.clock, world.clock
            self._plan_end(pod, plan)
            if plan.end is not _NEVER:
                self._wait(key, plan.end)
        if world.clock >= plan.again:
            self._again(key, pod, plan, 0)
        elif world.clock >= plan.end:
            self._end(key, pod, plan, int(_notes(pod).get("simulate/exit-code") or 0))
        elif world.clock >= plan.ready:
            plan.ready = _NEVER
            self.set_ready(pod, True)

    def set_ready(self, pod: JSON, value: bool) -> None:
        """Let the containers that run pass or fail their readiness."""
        status = dict(pod["status"])
        status["containerStatuses"] = [
            {**each, "ready": value and "running" in each.get("state", {})} for each in status["containerStatuses"]
        ]
        self._conditions(pod, status, initialized=True, sandbox=True)
        self._world.set_status(pod, status, _WHO)

    def _end(self, key: Key, pod: JSON, plan: _Plan, code: int) -> None:
        """The containers end: the pod is done, or they start again after a while."""
        world = self._world
        policy = pod["spec"].get("restartPolicy", "Always")
        plan.end = _NEVER
        status = dict(pod["status"])
        if policy == "Never" or (policy == "OnFailure" and code == 0):
            status["containerStatuses"] = [
                {**each, "ready": False, "started": False, "state": _ended(each, code, world.now())}
                for each in status["containerStatuses"]
            ]
            status["phase"] = "Failed" if code else "Succeeded"
            reason = "PodFailed" if code else "PodCompleted"
            self._conditions(pod, status, initialized=True, sandbox=False, reason=reason)
            world.set_status(pod, status, _WHO)
            return
        count = max(each.get("restartCount", 0) for each in status["containerStatuses"])
        if code and count:
            self._back_off(key, pod, plan, code, world.options.back_off * 2 ** min(count - 1, 4))
        else:
            self._again(key, pod, plan, code)

    def _again(self, key: Key, pod: JSON, plan: _Plan, code: int) -> None:
        """The containers run once more."""
        plan.again = _NEVER
        self.restart(pod, code)
        self._plan_end(pod, plan)
        if plan.end is not _NEVER:
            self._wait(key, plan.end)

    def _back_off(self, key: Key, pod: JSON, plan: _Plan, code: int, delay: float) -> None:
        """The containers have failed before: they wait for a while."""
        world, status, name = self._world, dict(pod["status"]), pod["metadata"]["name"]
        told = "back-off {}s restarting failed container={} pod=" + f"{name}_{pod['metadata']['namespace']}"
        status["containerStatuses"] = [
            {
                **each,
                "ready": False,
                "started": False,
                "lastState": _ended(each, code, world.now()),
                "state": {
                    "waiting": {"reason": "CrashLoopBackOff", "message": told.format(round(delay), each["name"])}
                },
            }
            for each in status["containerStatuses"]
        ]
        self._conditions(pod, status, initialized=True, sandbox=True)
        world.set_status(pod, status, _WHO)
        container = status["containerStatuses"][0]["name"]
        text = f"Back-off restarting failed container {container} in pod {name}"
        world.event(pod, "BackOff", text, _WHO, kind="Warning", host=pod["spec"]["nodeName"])
        plan.again = world.clock + delay
        self._wait(key, plan.again)

    def finish(self, key: Key, pod: JSON, code: int) -> None:
        """The containers end now."""
        plan = self._plans.setdefault(key, _Plan(pod["metadata"]["uid"]))
        self._end(key, pod, plan, code)

    def restart(self, pod: JSON, code: int = 0, container: str = "") -> None:
        """Containers end and run again at once; only the one that is named, if one is."""
        world, now = self._world, self._world.now()
        status = dict(pod["status"])
        status["containerStatuses"] = [
            each if container not in ("", each["name"]) else _restarted(each, code, now)
            for each in status["containerStatuses"]
        ]
        if _notes(pod).get("simulate/ready") != "false":
            status["containerStatuses"] = [
                {**each, "ready": True} if "running" in each["state"] else each for each in status["containerStatuses"]
            ]
        self._conditions(pod, status, initialized=True, sandbox=True)
        world.set_status(pod, status, _WHO)
        for each in pod["spec"]["containers"]:
            if container in ("", each["name"]):
                self._tell_started(pod, each)

    # ---- stopping

    def _stop(self, key: Key, pod: JSON, plan: _Plan) -> None:
        world = self._world
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        if plan.gone is _NEVER:
            plan.gone = world.clock + min(grace, _seconds(pod, "stop", world.between(world.options.stop)))
            if phase(pod) == "Running":
                for container in pod["spec"]["containers"]:
                    text = f"Stopping container {container['name']}"
                    world.event(pod, "Killing", text, _WHO, host=pod["spec"]["nodeName"])
        if world.clock < plan.gone:
            self._wait(key, plan.gone)
            return
        if phase(pod) == "Running":
            pod = self._ended_by_deletion(pod)
        world.delete(pod, _WHO, grace=0)

    def _ended_by_deletion(self, pod: JSON) -> JSON:
        status = dict(pod["status"])
        status["containerStatuses"] = [
            {**each, "ready": False, "started": False, "state": _ended(each, 0, self._world.now())}
            for each in status.get("containerStatuses") or ()
        ]
        status["phase"] = "Succeeded" if pod["spec"].get("restartPolicy") != "Always" else "Running"
        self._conditions(pod, status, initialized=True, sandbox=False)
        return self._world.set_status(pod, status, _WHO) or pod

    # ---- conditions

    def _conditions(self, pod: JSON, status: JSON, *, initialized: bool, sandbox: bool, reason: str = "") -> None:
        containers = status.get("containerStatuses") or []
        unready = [each["name"] for each in containers if not each["ready"]]
        text = f"containers with unready status: [{' '.join(unready)}]" if unready and not reason else ""
        why = reason or ("ContainersNotReady" if unready else "")
        gates = [each["conditionType"] for each in pod["spec"].get("readinessGates") or ()]
        given = {each["type"]: each["status"] for each in status.get("conditions") or ()}
        closed = [gate for gate in gates if given.get(gate) != "True"]
        inits = [each["name"] for each in pod["spec"].get("initContainers") or ()]
        pending = f"containers with incomplete status: [{' '.join(inits)}]"
        told = [("PodReadyToStartContainers", sandbox, "", "")]
        told.append(("Initialized", initialized, "" if initialized else "ContainersNotInitialized",
                     "" if initialized else pending))  # fmt: skip
        if closed and not unready:
            missing = "".join(f'corresponding condition of pod readiness gate "{gate}" does not exist.'
                              for gate in closed)  # fmt: skip
            told.append(("Ready", False, "ReadinessGatesNotReady", missing))
        else:
            told.append(("Ready", not unready, why, text))
        told.append(("ContainersReady", not unready, why, text))
        conditions = list(status.get("conditions") or ())
        for kind, holds, because, message in told:
            conditions = _set(conditions, kind, holds, because, message, self._world.now())
        status["conditions"] = conditions


def _set(conditions: list[JSON], kind: str, holds: bool, reason: str, message: str, now: str) -> list[JSON]:
    made = with_condition(conditions, kind, "True" if holds else "False", reason, message, now)
    return [_as_pods_have(each) for each in made]


def _as_pods_have(condition: JSON) -> JSON:
    kept = {"lastProbeTime": None, **{key: value for key, value in condition.items() if value != ""}}
    return {key: value for key, value in kept.items() if value is not None or key == "lastProbeTime"}


def _notes(pod: JSON) -> JSON:
    return pod["metadata"].get("annotations") or {}


def _seconds(pod: JSON, what: str, otherwise: float) -> float:
    """A length of time that the pod's annotation gives, or else the simulation."""
    try:
        return max(float(_notes(pod)[f"simulate/{what}-seconds"]), 0.0)
    except (KeyError, ValueError):
        return otherwise


def _readiness_delay(pod: JSON) -> float:
    probes = (each.get("readinessProbe") or {} for each in pod["spec"]["containers"])
    return float(max((each.get("initialDelaySeconds", 0) for each in probes), default=0))


def _container(
    container: JSON, state: JSON, *, ready: bool = False, before: JSON | None = None, id: bool = False
) -> JSON:
    """The status of a container."""
    image = container["image"]
    made = {"name": container["name"], "state": state, "lastState": {}, "ready": ready,
            "restartCount": (before or {}).get("restartCount", 0), "image": image, "imageID": "",
            "started": "running" in state}  # fmt: skip
    if id:
        number = zlib.crc32(f"{image}".encode())
        made["imageID"] = f"simulated.io/{image.partition('@')[0].partition(':')[0]}@sha256:{number:064x}"
        made["containerID"] = f"simulated://{zlib.crc32(repr((container['name'], state)).encode()):064x}"
    return made


def _ended(status: JSON, code: int, now: str) -> JSON:
    started = (status.get("state") or {}).get("running", {}).get("startedAt", now)
    made = {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": started, "finishedAt": now}
    if status.get("containerID"):
        made["containerID"] = status["containerID"]
    return {"terminated": made}


def _restarted(status: JSON, code: int, now: str) -> JSON:
    count = status.get("restartCount", 0) + 1
    running = {"running": {"startedAt": now}}
    last = status["lastState"] if "waiting" in status["state"] else _ended(status, code, now)
    fresh = f"simulated://{zlib.crc32(repr((status['name'], count, now)).encode()):064x}"
    return {**status, "lastState": last, "state": running, "restartCount": count,
            "started": True, "containerID": fresh}  # fmt: skip
