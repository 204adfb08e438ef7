"""What people type at kubectl, and what it should say: rows for `test_kubectl_matrix`.

A row is a command, a pattern that its output must have (written to either stream), and what else there is to say:
`fails` when it must not succeed, `since` the first minor version that knows the command, `stdin`, `editor` the sed
script that stands for a person at an editor. The rows of an area are typed one after the other, in a namespace of
their own. In commands and patterns, `@NS` is that namespace and `@ME` a word that no other area or version uses;
`@FOLDER` has the files below, `@UID` is that of the deployment `web`.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    command: str
    says: str = ""
    fails: bool = False
    since: int = 0
    stdin: str = ""
    editor: str = ""


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: c
        image: nginx:1
"""
ONE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  labels:
    set: x
data:
  k: first
"""
TWO = ONE.replace("name: one", "name: two")
REPLICA_SET = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-{number}
  labels:
    app: web
    pod-template-hash: h{number}
  annotations:
    deployment.kubernetes.io/revision: "{number}"
  ownerReferences:
  - apiVersion: apps/v1
    kind: Deployment
    name: web
    uid: @UID
    controller: true
spec:
  replicas: 0
  selector:
    matchLabels:
      app: web
      pod-template-hash: h{number}
  template:
    metadata:
      labels:
        app: web
        pod-template-hash: h{number}
    spec:
      containers:
      - name: c
        image: nginx:old{number}
"""
CLUSTER = """\
apiVersion: v1
kind: Node
metadata:
  name: @ME
---
apiVersion: v1
kind: PersistentVolume
metadata:
  name: @ME
spec:
  accessModes: [ReadWriteOnce]
  capacity:
    storage: 1Gi
  hostPath:
    path: /x
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: @ME
provisioner: example.com/none
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: claim
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
---
apiVersion: v1
kind: LimitRange
metadata:
  name: limits
spec:
  limits:
  - type: Container
    default:
      cpu: 100m
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: closed
spec:
  podSelector: {}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: leader
spec:
  holderIdentity: me
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
      - name: c
        image: db
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  selector:
    matchLabels:
      app: agent
  template:
    metadata:
      labels:
        app: agent
    spec:
      containers:
      - name: c
        image: agent
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
  namespace: @NS
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
"""
SIGNING = """\
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: @ME
spec:
  request: @REQUEST
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
"""
STATUS = (
    '{"status":{"observedGeneration":9,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1,'
    '"conditions":[{"type":"Available","status":"True"}]}}'
)

FILES = {
    "web.yaml": DEPLOYMENT,
    "one.yaml": ONE,
    "both.yaml": f"{ONE}---\n{TWO}",
    "kustomize/web.yaml": DEPLOYMENT,
    "kustomize/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: k-\n"
    "configMapGenerator:\n- name: made\n  literals: [a=b]\n",
}

# ---- for every version


CORE = [
    Row("create configmap cm --from-literal=a=b", "configmap/cm created"),
    Row("create deployment web --image=nginx:1 --replicas=2", "deployment.apps/web created"),
    Row("create secret generic secret --from-literal=a=b", "secret/secret created"),
    Row("apply -f @FOLDER/one.yaml", "configmap/one created"),
    Row("apply -f @FOLDER/one.yaml", "configmap/one unchanged"),
    Row("apply --server-side --force-conflicts -f @FOLDER/one.yaml", "configmap/one serverside-applied"),
    Row("diff -f -", r"-  k: first\n\+  k: second", fails=True, stdin=ONE.replace("first", "second")),
    Row("get configmaps", r"NAME +DATA +AGE\n(.*\n)*one +1 +\d+s"),
    Row("get deployment web -o yaml", r"kind: Deployment\n(.*\n)* +- image: nginx:1\n"),
    Row("scale deployment web --replicas=3", "deployment.apps/web scaled"),
    Row("set image deployment/web nginx=nginx:2", "image updated"),
    Row('patch deployment web -p \'{"spec":{"replicas":1}}\'', "patched"),
    Row("rollout status deployment/web --watch=false", "Waiting for deployment spec update to be observed"),
    Row("label configmap one tier=x", "labeled"),
    Row("edit configmap one", "configmap/one edited", editor="s/k: first/k: third/"),
    Row("get configmap one -o jsonpath={.data.k}", "^third$"),
    Row("describe deployment web", r"Replicas: +1 desired \| 0 updated(.*\n)*.* Image: +nginx:2\n"),
    Row("run pod --image=nginx", "pod/pod created"),
    Row("expose deployment web --port=80", "service/web exposed"),
    Row("auth can-i create pods", "^yes$"),
    Row("create token default", r"^[\w-]+\.[\w-]+\.[\w-]+$"),
    Row("explain deployment.spec.replicas", "<integer>"),
    Row("api-resources --api-group=apps", r"deployments +deploy +apps/v1 +true +Deployment"),
    Row("version", r"v1\.36\.\d"),
    Row("get configmap nope", r'\(NotFound\): configmaps "nope" not found', fails=True),
    Row("delete deployment web --cascade=foreground", 'deployment.apps "web" deleted'),
    Row("delete configmap --all", 'configmap "one" deleted'),
]

# ---- for the oldest and the newest


AREAS: dict[str, list[Row]] = {
    "create-and-describe": [
        Row("create namespace @ME", "namespace/@ME created"),
        Row("create namespace @ME", "AlreadyExists", fails=True),
        Row("create configmap cm --from-literal=a=b --from-file=@FOLDER/one.yaml", "configmap/cm created"),
        Row("create secret generic generic --from-literal=a=b", "secret/generic created"),
        Row("create secret docker-registry keys --docker-server=x --docker-username=u --docker-password=p", "created"),
        Row("create secret tls tls --cert=@FOLDER/tls.crt --key=@FOLDER/tls.key", "secret/tls created"),
        Row("create deployment web --image=nginx --port=80", "deployment.apps/web created"),
        Row("create job job --image=busybox -- true", "job.batch/job created"),
        Row("create cronjob nightly --image=busybox --schedule='0 1 * * *'", "cronjob.batch/nightly created"),
        Row("create job by-hand --from=cronjob/nightly", "job.batch/by-hand created"),
        Row("create service clusterip inner --tcp=80:8080", "service/inner created"),
        Row("create service nodeport outer --tcp=80", "service/outer created"),
        Row("create service loadbalancer balanced --tcp=80", "service/balanced created"),
        Row("create service externalname other --external-name=example.com", "service/other created"),
        Row("create serviceaccount robot", "serviceaccount/robot created"),
        Row("create role reader --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/reader created"),
        Row("create rolebinding readers --role=reader --serviceaccount=@NS:robot", "rolebinding.*/readers created"),
        Row("create clusterrole @ME --verb=get --resource=nodes", "clusterrole.*/@ME created"),
        Row("create clusterrolebinding @ME --clusterrole=@ME --user=bob", "clusterrolebinding.*/@ME created"),
        Row("create ingress door --rule=example.com/*=inner:80", "ingress.networking.k8s.io/door created"),
        Row("create poddisruptionbudget budget --selector=app=web --min-available=1", "budget created"),
        Row("create priorityclass @ME --value=10", "priorityclass.scheduling.k8s.io/@ME created"),
        Row("create quota quota --hard=pods=10,limits.cpu=4", "resourcequota/quota created"),
        Row("create token robot --duration=10m --audience=x", r"^[\w-]+\.[\w-]+\.[\w-]+$"),
        Row("create -f @FOLDER/one.yaml --save-config", "configmap/one created"),
        Row("create -f @FOLDER/one.yaml --dry-run=server", "AlreadyExists", fails=True),
        Row("create configmap dry --dry-run=server -o yaml", r"uid: [\w-]{36}"),
        Row("create configmap dry --dry-run=client -o yaml", "name: dry"),
        Row("get configmap dry", "NotFound", fails=True),
        Row("create -f - --validate=strict", "unknown field", fails=True, stdin=ONE.replace("\ndata:", "\ndat:")),
        Row("run pod --image=nginx --port=80 --labels=app=web --env=A=b --expose", r"service/pod created\npod/pod"),
        Row("expose deployment web --port=80", "service/web exposed"),
        Row("autoscale deployment web --min=1 --max=3", "horizontalpodautoscaler.autoscaling/web autoscaled"),
        Row("auth reconcile -f -", "reader reconciled", stdin=ROLE),
        # ---- and what was created, described
        Row("create -f -", r"node/@ME created\n(.*\n)*daemonset.apps/agent created", stdin=CLUSTER),
        Row("describe pod pod", r"Status: +Pending\n(.*\n)*.*A: +b\n(.*\n)*QoS Class: +BestEffort"),
        Row("describe deployment web", r"StrategyType: +RollingUpdate(.*\n)*.*Image: +nginx\n"),
        Row("describe statefulset db", r"Replicas: +1 desired \| 0 total"),
        Row("describe daemonset agent", r"Desired Number of Nodes Scheduled: +0"),
        Row("describe job by-hand", r"job-name=by-hand(.*\n)*Pods Statuses: +0 Active"),
        Row("describe cronjob nightly", r"Schedule: +0 1 \* \* \*"),
        Row("describe service inner", r"Port: +80-8080 +80/TCP\n.*TargetPort: +8080/TCP"),
        Row("describe ingress door", r"example.com *\n +/ +inner:80"),
        Row("describe configmap cm", r"Data\n====\n(.*\n)*a:\n----\nb\n"),
        Row("describe secret generic", r"Type: +Opaque\n(.*\n)*a: +1 bytes"),
        Row("describe serviceaccount default", r"Name: +default"),
        Row("describe role reader", r"pods +\[\] +\[\] +\[get list\]"),
        Row("describe rolebinding readers", r"ServiceAccount +robot +@NS"),
        Row("describe node @ME", r"Unschedulable: +false(.*\n)*Allocated resources:"),
        Row("describe namespace @NS", r"Status: +Active\n(.*\n)* +pods +0 +10\n|Status: +Active"),
        Row("describe pv @ME", r"Capacity: +1Gi(.*\n)*.*Path: +/x"),
        Row("describe pvc claim", r"Status: +Pending"),
        Row("describe storageclass @ME", r"Provisioner: +example.com/none"),
        Row("describe quota quota", r"Name: +quota"),
        Row("describe limits limits", r"Container +cpu +- +- +100m +100m"),
        Row("describe hpa web", r"Reference: +Deployment/web"),
        Row("describe poddisruptionbudget budget", r"Min available: +1"),
        Row("describe networkpolicy closed", r"Allowing ingress traffic"),
        Row("describe lease leader", r"Holder Identity: +me"),
        Row("describe pods", r"Name: +pod\n"),
        Row("describe pod nope", "NotFound", fails=True),
        Row("delete node,pv,storageclass @ME --wait=false", r'node "@ME" deleted'),
    ],
    "apply": [
        Row("apply -f @FOLDER/both.yaml", r"configmap/one created\nconfigmap/two created"),
        Row("apply --prune -l set=x --prune-allowlist=core/v1/ConfigMap -f @FOLDER/one.yaml", "two pruned"),
        Row("apply -f @FOLDER/both.yaml", "configmap/two created"),
        Row("apply --prune -l set=x -f @FOLDER/one.yaml", "configmap/two pruned"),
        Row("apply --prune --applyset=configmaps/set -f @FOLDER/both.yaml", "configmap/two created"),
        Row("apply --prune --applyset=configmaps/set -f @FOLDER/one.yaml", "configmap/two pruned"),
        Row("apply view-last-applied configmap/one", "k: first"),
        Row("apply edit-last-applied configmap/one", "configmap/one edited", editor="s/first/noted/"),
        Row("apply set-last-applied -f @FOLDER/one.yaml", "configmap/one configured"),
        Row("apply --dry-run=server -f -", r"configured \(server dry run\)", stdin=ONE.replace("first", "x")),
        Row("apply --dry-run=client -f -", r"configured \(dry run\)", stdin=ONE.replace("first", "x")),
        Row("get configmap one -o jsonpath={.data.k}", "^first$"),
        Row("edit configmap one", "configmap/one edited", editor="s/k: first/k: edited/"),
        Row("apply --server-side -f @FOLDER/one.yaml", r'conflict with "kubectl-edit"', fails=True),
        Row("apply --server-side --force-conflicts -f @FOLDER/one.yaml", "serverside-applied"),
        Row("apply --server-side --field-manager=other -f -", "conflict", fails=True, stdin=ONE.replace("first", "x")),
        Row("diff --server-side -f @FOLDER/one.yaml", "^$"),
        Row("diff --server-side --force-conflicts -f -", r"\+  k: x", fails=True, stdin=ONE.replace("first", "x")),
        Row("diff -f -", r"-  k: first\n\+  k: x", fails=True, stdin=ONE.replace("first", "x")),
        Row("apply -f -", "configmap/one configured", stdin=ONE.replace("first", "x")),
        Row("replace -f @FOLDER/one.yaml", "configmap/one replaced"),
        Row("replace --force -f @FOLDER/one.yaml", 'configmap "one" deleted.*\nconfigmap/one replaced'),
        Row("replace -f -", "NotFound", fails=True, stdin=ONE.replace("name: one", "name: three")),
        Row("apply -f -", "unknown field", fails=True, stdin=ONE.replace("\ndata:", "\ndat:")),
        Row("kustomize @FOLDER/kustomize", "name: k-web"),
        Row("apply -k @FOLDER/kustomize", r"configmap/k-made-\w+ created\ndeployment.apps/k-web created"),
        Row("delete -k @FOLDER/kustomize", r'deployment.apps "k-web" deleted'),
        Row("apply -f @FOLDER/web.yaml", "deployment.apps/web created"),
        Row("apply -f @FOLDER/web.yaml --server-side", "serverside-applied"),
    ],
    "rollout": [
        Row("apply -f @FOLDER/web.yaml", "created"),
        Row("rollout history deployment/web", "No rollout history found"),
        Row("rollout undo deployment/web", "no rollout history found", fails=True),
        Row("apply -f -", "replicaset.apps/web-1 created", stdin=REPLICA_SET.format(number=1)),
        Row("apply -f -", "replicaset.apps/web-2 created", stdin=REPLICA_SET.format(number=2)),
        Row("rollout history deployment/web", r"REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>"),
        Row("rollout history deployment/web --revision=1", r"Image:\s+nginx:old1"),
        Row("rollout undo deployment/web --to-revision=1", "deployment.apps/web rolled back"),
        Row("get deployment web -o jsonpath={..image}", "^nginx:old1$"),
        Row("rollout restart deployment/web", "deployment.apps/web restarted"),
        Row("get deployment web -o jsonpath={.spec.template.metadata.annotations}", "kubernetes.io/restartedAt"),
        Row("rollout pause deployment/web", "paused"),
        Row("rollout restart deployment/web", "can't restart paused deployment", fails=True),
        Row("rollout resume deployment/web", "resumed"),
        Row("rollout status deployment/web --timeout=1s", "timed out|deadline exceeded", fails=True),
        Row(f"patch deployment web --subresource=status --type=merge -p '{STATUS}'", "deployment.apps/web patched"),
        Row("get deployment web --subresource=status -o jsonpath={.status.replicas}", "^1$"),
        Row("rollout status deployment/web --timeout=5s", 'deployment "web" successfully rolled out'),
        Row("wait deployment/web --for=condition=Available --timeout=5s", "condition met"),
        Row("wait deployment/web --for=jsonpath='{.status.readyReplicas}'=1 --timeout=5s", "condition met"),
        Row("wait deployment/web --for=condition=Never --timeout=1s", "timed out waiting", fails=True),
        Row("wait deployment/web --for=create --timeout=5s", "condition met", since=31),
        Row("scale deployment web --replicas=3", "scaled"),
        Row("scale deployment web --current-replicas=1 --replicas=2", "replicas to be 1, was 3", fails=True),
        Row("scale rs/web-1 deployment/web --replicas=2", r"replicaset.apps/web-1 scaled\ndeployment.apps/web scaled"),
        Row("patch deployment web --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":4}}'", "patched"),
        Row("get deployment web -o jsonpath={.spec.replicas}", "^4$"),
        Row("set image deployment/web c=nginx:3", "image updated"),
        Row("set env deployment/web A=b", "env updated"),
        Row("set env deployment/web --list", "\nA=b$"),
        Row("set resources deployment/web --limits=cpu=200m --requests=cpu=100m", "resource requirements updated"),
        Row("set serviceaccount deployment/web robot", "serviceaccount updated"),
        Row("create service clusterip inner --tcp=80", "created"),
        Row("set selector service inner app=web", "selector updated"),
        Row("create role reader --verb=get --resource=pods", "created"),
        Row("create rolebinding readers --role=reader --user=bob", "created"),
        Row("set subject rolebinding readers --user=carol", "subjects updated"),
    ],
    "patch": [
        Row("apply -f @FOLDER/web.yaml", "created"),
        Row("patch deployment web -p '{\"spec\":{\"replicas\":2}}'", "patched"),
        Row("patch deployment web --type=strategic -p "
            '\'{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"d"}]}}}}\'', "patched"),
        Row("get deployment web -o jsonpath={..image}", "^d nginx:1$|^nginx:1 d$"),
        Row("patch deployment web --type=merge -p '{\"spec\":{\"replicas\":3}}'", "patched"),
        Row("patch deployment web --type=merge -p '{\"spec\":{\"replicas\":3}}'", r"patched \(no change\)"),
        Row("patch deployment web --type=json -p "
            '\'[{"op":"test","path":"/spec/replicas","value":3},{"op":"remove","path":"/spec/template/spec/containers/0"}]\'',
            "patched"),
        Row("patch deployment web --type=json -p '[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":9}]'",
            "server rejected", fails=True),
        Row("patch deployment web --type=merge -p '{\"spec\":{\"replicas\":-1}}'",
            r"spec.replicas: Invalid value: -1: must be greater than or equal to 0", fails=True),
        Row("patch -f @FOLDER/web.yaml --local -o yaml -p '{\"spec\":{\"replicas\":7}}'", "replicas: 7"),
        Row("label deployment web tier=x", "labeled"),
        Row("label deployment web tier=y", "already has a value", fails=True),
        Row("label deployment web tier=y --overwrite", "labeled"),
        Row("label deployments --all all=yes", "labeled"),
        Row("label deployment web --list", r"all=yes\n(.*\n)*tier=y|tier=y\n(.*\n)*all=yes"),
        Row("label deployment web tier-", "unlabeled"),
        Row("annotate deployment web note='hello there'", "annotated?$"),
        Row("annotate deployment web other=x --resource-version=1", "object has been modified", fails=True),
        Row("annotate deployment web --list", "note=hello there"),
        Row("annotate deployment web note-", "annotated?$"),
    ],
    "get": [
        Row("run first --image=nginx", "created"),
        Row("run second --image=nginx", "created"),
        Row("get pods", r"^NAME +READY +STATUS +RESTARTS +AGE\nfirst +0/1 +Pending +0 +\d+s\nsecond "),
        Row("get pods -o wide", r"IP +NODE +NOMINATED NODE +READINESS GATES\n"),
        Row("get pods -o name", r"^pod/first\npod/second$"),
        Row("get pods -o json", r'"kind": "List"'),
        Row("get pod first -o yaml", r"^apiVersion: v1\nkind: Pod"),
        Row("get pods -o jsonpath='{.items[*].metadata.name}'", "^first second$"),
        Row("get pods -o jsonpath-as-json='{.items[*].metadata.name}'", r'"first",\n +"second"'),
        Row("get pods -o go-template='{{range .items}}{{.metadata.name}} {{end}}'", "^first second"),
        Row("get pods -o custom-columns=N:.metadata.name,P:.status.phase", r"^N +P\nfirst +Pending"),
        Row("get pods --no-headers --sort-by=.metadata.name", r"^first .*\nsecond "),
        Row("get pods --show-labels", r"run=first"),
        Row("get pods -L run", r"RUN\nfirst .* first\n"),
        Row("get pods -l run=first -o name", "^pod/first$"),
        Row("get pods -l 'run in (first,other)' -o name", "^pod/first$"),
        Row("get pods --field-selector=metadata.name=second -o name", "^pod/second$"),
        Row("get pods --field-selector=status.phase=Running", "No resources found"),
        Row("get pods --field-selector=nonsense=x", "field label not supported", fails=True),
        Row("get pods -A -o wide", r"^NAMESPACE +NAME(.*\n)*@NS +first "),
        Row("get pods --chunk-size=1 -o name", r"^pod/first\npod/second$"),
        Row("get pods first second nope", r'pods "nope" not found', fails=True),
        Row("get pod nope --ignore-not-found", "^$"),
        Row("get pod/first serviceaccount/default", r"pod/first .*\n\n(.*\n)*serviceaccount/default "),
        Row("get pods --show-kind", "pod/first "),
        Row("get pod first --show-managed-fields -o yaml", "manager: kubectl-run"),
        Row("get pods --server-print=false", r"^NAME +AGE\nfirst "),
        Row("get pods --output-watch-events -w --request-timeout=1s", r"^EVENT +NAME(.*\n)ADDED +first "),
        Row("get all", "pod/first "),
        Row("get nonsense", r'''the server doesn't have a resource type "nonsense"''', fails=True),
        Row("get --raw /api/v1/namespaces/@NS/pods", r'^\{"kind":"PodList"'),
        Row("get --raw /healthz", "^ok$"),
        Row("get --raw /nonsense", "NotFound", fails=True),
        Row("events", "No events found"),
        Row("get events", "No resources found"),
        Row("logs nope", r"NotFound", fails=True),
        Row("logs first", ""),
        Row("exec first -- true", "pod first does not have a host assigned", fails=True),
        Row("port-forward first 80", "unable to forward port because pod is not running", fails=True),
    ],
    "delete": [
        Row("run first --image=nginx", "created"),
        Row("run second --image=nginx", "created"),
        Row("run third --image=nginx", "created"),
        Row("delete pod first --dry-run=server", r"deleted .*\(server dry run\)|\(server dry run\)"),
        Row("delete pod first --grace-period=0 --force", 'pod "first" force deleted'),
        Row("delete pod second --now", 'pod "second" deleted'),
        Row("delete pods --all", 'pod "third" deleted'),
        Row("delete pod first", "NotFound", fails=True),
        Row("delete pod first --ignore-not-found", "^$"),
        Row("apply -f @FOLDER/web.yaml", "created"),
        Row("apply -f -", "created", stdin=REPLICA_SET.format(number=1)),
        Row("delete deployment web --cascade=orphan", 'deployment.apps "web" deleted'),
        Row("get rs -o name", "^replicaset.apps/web-1$"),
        Row("delete rs web-1", "deleted"),
        Row("apply -f @FOLDER/web.yaml", "created"),
        Row("apply -f -", "created", stdin=REPLICA_SET.format(number=1)),
        Row("delete deployment web --cascade=foreground", 'deployment.apps "web" deleted'),
        Row("get rs", "No resources found"),
        Row("apply -f @FOLDER/web.yaml", "created"),
        Row("apply -f -", "created", stdin=REPLICA_SET.format(number=1)),
        Row("delete deployment web --cascade=background --wait=false", 'deployment.apps "web" deleted'),
        Row("wait rs/web-1 --for=delete --timeout=10s", ""),
        Row("apply -f @FOLDER/both.yaml", "created"),
        Row("delete -f @FOLDER/both.yaml --wait=false", r'configmap "one" deleted.*\nconfigmap "two" deleted'),
        Row("create job job --image=x", "created"),
        Row("delete job job", 'job.batch "job" deleted'),
        Row("create namespace @ME", "created"),
        Row("create configmap inside -n @ME", "created"),
        Row("delete namespace @ME --timeout=20s", 'namespace "@ME" deleted'),
        Row("get configmap inside -n @ME", "NotFound", fails=True),
    ],
    "cluster": [
        Row("create -f -", "node/@ME created", stdin=CLUSTER.partition("---")[0]),
        Row("get node @ME", r"@ME +Unknown +<none>"),
        Row("taint node @ME key=value:NoSchedule", "node/@ME tainted"),
        Row("get node @ME -o jsonpath={.spec.taints[*].key}", "key"),
        Row("taint node @ME key=value:NoSchedule", "already has|modified", fails=True),
        Row("taint node @ME key-", "node/@ME untainted"),
        Row("cordon @ME", "node/@ME cordoned"),
        Row("get node @ME", "Unknown,SchedulingDisabled"),
        Row("uncordon @ME", "node/@ME uncordoned"),
        Row("drain @ME --ignore-daemonsets --force", "node/@ME drained"),
        Row("delete node @ME", 'node "@ME" deleted'),
        Row("top nodes", "Metrics API not available", fails=True),
        Row("top pods", "Metrics API not available", fails=True),
        Row("api-versions", r"apps/v1\n(.*\n)*v1$"),
        Row("api-resources", r"pods +po +v1 +true +Pod\n"),
        Row("api-resources --namespaced=false --verbs=list -o name", r"^(.*\n)*nodes\n"),
        Row("api-resources -o wide --api-group=batch", r"jobs .* create,delete,"),
        Row("cluster-info", r"Kubernetes control plane.* is running at .*http://127.0.0.1"),
        Row("cluster-info dump", '"kind": "NodeList"'),
        Row("version -o json", '"serverVersion"'),
        Row("get componentstatuses", "ComponentStatus is deprecated"),
        Row("auth can-i '*' '*'", "^yes$"),
        Row("auth can-i --list", r"\*\.\* "),
        Row("auth whoami", r"Username +system:anonymous", since=28),
        Row("config view --minify -o jsonpath={.clusters[*].name}", "k8srt"),
        Row("config get-contexts -o name", "k8srt"),
        Row("explain pods.spec.containers.image", r"<string>"),
        Row("explain deployment --recursive", r"template\s+<PodTemplateSpec>( -required-)?"),
        Row("explain cronjob --api-version=batch/v1", r"CronJob"),
        Row("explain cronjob --output=plaintext-openapiv2", r"KIND: +CronJob"),
        Row("explain pod.nonsense", 'field "nonsense" does not exist', fails=True),
        Row("create -f -", "@ME created", stdin=SIGNING),
        Row("get csr @ME", r"SIGNERNAME +REQUESTOR .*\n@ME .*/kube-apiserver-client +system:anonymous +.* Pending"),
        Row("certificate approve @ME", "@ME approved"),
        Row("get csr @ME", "Approved"),
        Row("certificate deny @ME", "already Approved", fails=True),
        Row("describe csr @ME", r"Requesting User: +system:anonymous(.*\n)*.*Common Name: +bob"),
        Row("delete csr @ME", "deleted"),
        Row("get apiservices,priorityclasses,flowschemas,ingressclasses,runtimeclasses,csidrivers,csinodes", ""),
    ],
}  # fmt: skip

# ---- for the oldest and the newest, on a server that simulates workloads with two nodes


SIMULATED = [
    Row("apply -f @FOLDER/web.yaml", "deployment.apps/web created"),
    Row("scale deployment web --replicas=2", "scaled"),
    Row("rollout status deployment/web --timeout=30s", 'deployment "web" successfully rolled out'),
    Row("wait pod -l app=web --for=condition=Ready --timeout=30s", "condition met"),
    Row("get pods", r"web-\w+-\w+ +1/1 +Running +0 "),
    Row("get deployment web", r"web +2/2 +2 +2 "),
    Row("describe deployment web", r"Normal +ScalingReplicaSet .* Scaled up replica set web-\w+"),
    Row("logs deployment/web", ""),
    Row("set image deployment/web c=nginx:2", "image updated"),
    Row("rollout status deployment/web --timeout=30s", "successfully rolled out"),
    Row("rollout history deployment/web", r"1 +<none>\n2 +<none>"),
    Row("rollout undo deployment/web", "rolled back"),
    Row("rollout status deployment/web --timeout=30s", "successfully rolled out"),
    Row("get deployment web -o jsonpath={..image}", "^nginx:1$"),
    Row("rollout restart deployment/web", "restarted"),
    Row("rollout status deployment/web --timeout=30s", "successfully rolled out"),
    Row("create job job --image=busybox", "created"),
    Row("wait job/job --for=condition=Complete --timeout=30s", "condition met"),
    Row("get job job", r"job +Complete +1/1 "),
    Row("run single --image=nginx", "created"),
    Row("wait pod/single --for=condition=Ready --timeout=30s", "condition met"),
    Row("expose pod single --port=80", "exposed"),
    Row("drain node-1 --ignore-daemonsets --timeout=30s", "cannot delete .*declare no controller", fails=True),
    Row("drain node-1 node-2 --ignore-daemonsets --force --timeout=30s", "node/node-2 drained"),
    Row("get pods --field-selector=status.phase=Running", "No resources found"),
    Row("get nodes", r"node-1 +Ready,SchedulingDisabled "),
    Row("uncordon node-1 node-2", "node/node-2 uncordoned"),
    Row("rollout status deployment/web --timeout=30s", "successfully rolled out"),
    Row("events --types=Normal", "Created pod: web-|SuccessfulCreate"),
    Row("delete deployment web --cascade=foreground --timeout=30s", 'deployment.apps "web" deleted'),
    Row("get rs", "No resources found"),
    Row("delete namespace @NS --timeout=30s", 'namespace "@NS" deleted'),
]
