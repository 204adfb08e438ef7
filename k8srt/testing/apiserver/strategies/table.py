"""The rows: which strategy each kind has. Someone who adds a kind adds a row."""

from __future__ import annotations

from collections.abc import Mapping

from k8srt.testing.apiserver.strategies import (
    admission,
    certificates,
    config,
    definitions,
    infrastructure,
    namespaces,
    pods,
    policies,
    services,
    workloads,
)
from k8srt.testing.apiserver.strategies.strategy import Strategy

_COUNTED = Strategy(generation=True)
_JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)
_ENDPOINTS_WARNING = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"

STRATEGIES: Mapping[str, Strategy] = {
    # ---- workloads
    "pods": Strategy(
        defaults=pods.pod_defaults,
        validate=pods.validate,
        prepare=pods.prepare,
        prepare_status=pods.prepare_status,
        first_status=pods.first_status,
        grace=pods.grace,
        generation=True,
        answers_object=True,
        fields=pods.fields,
        field_names=pods.FIELD_NAMES,
        own_conversion=True,
    ),
    "podtemplates": Strategy(defaults=workloads.pod_template_defaults, generation=True, answers_object=True),
    "deployments.apps": Strategy(
        defaults=workloads.deployment_defaults,
        validate=workloads.validate_deployment,
        generation=True,
        annotations_count=True,
        status_keeps_labels=True,
    ),
    "replicasets.apps": Strategy(
        defaults=workloads.replica_set_defaults,
        validate=workloads.validate_replica_set,
        generation=True,
    ),
    "statefulsets.apps": Strategy(
        defaults=workloads.stateful_set_defaults,
        validate=workloads.validate_stateful_set,
        generation=True,
    ),
    "daemonsets.apps": Strategy(
        defaults=workloads.daemon_set_defaults,
        validate=workloads.validate_daemon_set,
        prepare=workloads.prepare_daemon_set,
        generation=True,
    ),
    "replicationcontrollers": Strategy(
        defaults=workloads.replication_controller_defaults,
        validate=workloads.validate_replication_controller,
        generation=True,
        orphans=True,
        fields=workloads.replicas_field,
        field_names=("status.replicas",),
    ),
    "jobs.batch": Strategy(
        defaults=workloads.job_defaults,
        validate=workloads.validate_job,
        prepare=workloads.prepare_job,
        generation=True,
        orphans=True,
        orphan_warning=_JOB_WARNING,
        fields=workloads.job_fields,
        field_names=("status.successful",),
        own_conversion=True,
    ),
    "cronjobs.batch": Strategy(
        defaults=workloads.cron_job_defaults,
        validate=workloads.validate_cron_job,
        generation=True,
        name_rule="cron-job",
    ),
    "controllerrevisions.apps": Strategy(validate=config.validate_controller_revision),
    # ---- configuration
    "componentstatuses": Strategy(deprecated="v1 ComponentStatus is deprecated in v1.19+"),
    "configmaps": Strategy(validate=config.validate_config_map),
    "secrets": Strategy(
        defaults=config.secret_defaults,
        validate=config.validate_secret,
        fields=config.secret_fields,
        field_names=("type",),
        own_conversion=True,
    ),
    "serviceaccounts": Strategy(answers_object=True),
    "events": Strategy(
        validate=config.validate_event,
        create_on_update=True,
        fields=config.event_fields,
        field_names=config.EVENT_FIELD_NAMES,
        own_conversion=True,
    ),
    "leases.coordination.k8s.io": Strategy(validate=config.validate_lease, create_on_update=True, unconditional=False),
    "limitranges": Strategy(
        defaults=config.limit_range_defaults, validate=config.validate_limit_range, create_on_update=True
    ),
    "resourcequotas": Strategy(validate=config.validate_quota, answers_object=True),
    "priorityclasses.scheduling.k8s.io": Strategy(
        defaults=config.priority_class_defaults, validate=config.validate_priority_class, generation=True
    ),
    "runtimeclasses.node.k8s.io": Strategy(validate=config.immutable("handler")),
    # ---- network
    "services": Strategy(
        defaults=services.defaults,
        validate=services.validate,
        prepare=services.prepare,
        first_status=services.first_status,
        name_rule="service",
        create_on_update=True,
        answers_object=True,
        fields=services.fields,
        field_names=("spec.clusterIP", "spec.type"),
        own_conversion=True,
    ),
    "endpoints": Strategy(defaults=policies.endpoints_defaults, create_on_update=True, deprecated=_ENDPOINTS_WARNING),
    "endpointslices.discovery.k8s.io": Strategy(defaults=policies.slice_defaults, generation=True),
    "ingresses.networking.k8s.io": Strategy(validate=policies.validate_ingress, generation=True),
    "ingressclasses.networking.k8s.io": Strategy(validate=policies.validate_ingress_class, generation=True),
    "networkpolicies.networking.k8s.io": Strategy(
        defaults=policies.network_policy_defaults, validate=policies.validate_network_policy, generation=True
    ),
    # ---- storage and nodes
    "nodes": Strategy(
        defaults=infrastructure.node_defaults,
        validate=infrastructure.validate_node,
        prepare=infrastructure.prepare_node,
        keeps_status=True,
        fields=infrastructure.node_fields,
        field_names=("spec.unschedulable",),
        own_conversion=True,
    ),
    "persistentvolumes": Strategy(
        defaults=infrastructure.volume_defaults,
        validate=infrastructure.validate_volume,
        prepare=infrastructure.prepare_volume,
        prepare_status=infrastructure.prepare_volume_status,
        keeps_status=True,
    ),
    "persistentvolumeclaims": Strategy(
        defaults=infrastructure.claim_defaults,
        validate=infrastructure.validate_claim,
        prepare=infrastructure.prepare_claim,
        first_status=infrastructure.first_claim_status,
        answers_object=True,
    ),
    "storageclasses.storage.k8s.io": Strategy(
        defaults=infrastructure.storage_class_defaults,
        validate=config.immutable("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
        answers_object=True,
    ),
    "csidrivers.storage.k8s.io": Strategy(defaults=infrastructure.driver_defaults),
    "volumeattachments.storage.k8s.io": Strategy(
        validate=infrastructure.spec_immutable, first_status=infrastructure.first_attachment_status
    ),
    # ---- access
    "roles.rbac.authorization.k8s.io": Strategy(
        validate=policies.validate_role, prepare=policies.prepare_rbac, name_rule="segment", create_on_update=True
    ),
    "clusterroles.rbac.authorization.k8s.io": Strategy(
        validate=policies.validate_cluster_role,
        prepare=policies.prepare_rbac,
        name_rule="segment",
        create_on_update=True,
    ),
    "rolebindings.rbac.authorization.k8s.io": Strategy(
        defaults=policies.binding_defaults,
        validate=policies.validate_binding,
        prepare=policies.prepare_rbac,
        name_rule="segment",
        create_on_update=True,
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": Strategy(
        defaults=policies.binding_defaults,
        validate=policies.validate_binding,
        prepare=policies.prepare_rbac,
        name_rule="segment",
        create_on_update=True,
    ),
    "apiservices.apiregistration.k8s.io": Strategy(name_rule="segment"),
    "certificatesigningrequests.certificates.k8s.io": Strategy(
        validate=policies.validate_signing_request,
        prepare=certificates.prepare,
        prepare_status=certificates.prepare_status,
    ),
    # ---- policy, scaling, admission
    "horizontalpodautoscalers.autoscaling": Strategy(
        defaults=policies.autoscaler_defaults, validate=policies.validate_autoscaler
    ),
    "poddisruptionbudgets.policy": Strategy(generation=True),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": Strategy(
        defaults=policies.webhook_defaults, validate=admission.validate_webhooks, generation=True
    ),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": Strategy(
        defaults=policies.webhook_defaults, validate=admission.validate_webhooks, generation=True
    ),
    "validatingadmissionpolicies.admissionregistration.k8s.io": Strategy(
        defaults=admission.policy_defaults, validate=admission.validate_policy, generation=True
    ),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": Strategy(
        defaults=admission.binding_defaults, validate=admission.validate_binding, generation=True
    ),
    "flowschemas.flowcontrol.apiserver.k8s.io": _COUNTED,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _COUNTED,
    # ---- definitions and namespaces
    definitions.TABLE: Strategy(
        defaults=definitions.defaults,
        validate=definitions.validate,
        prepare=definitions.prepare,
        first_status=definitions.first_status,
        terminating=definitions.terminating,
        created=definitions.created,
        updated=definitions.updated,
        generation=True,
        unconditional=False,
        answers_object=True,
    ),
    "namespaces": Strategy(
        defaults=namespaces.defaults,
        prepare=namespaces.prepare,
        first_status=namespaces.first_status,
        terminating=namespaces.terminating,
        created=namespaces.created,
        name_rule="label",
        answers_object=True,
        fields=namespaces.fields,
        field_names=("status.phase", "name"),
    ),
}
