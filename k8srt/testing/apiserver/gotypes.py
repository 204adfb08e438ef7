"""What Go's types say and OpenAPI does not: which optional fields are pointers, and which structs are values.

An API server writes what its Go types hold. An optional text, number or flag that is zero is left out, unless the
type is a pointer; a struct that is a value is written even when nobody sent it. These tables are data; `typed.py`
reads them.
"""

from __future__ import annotations

from k8srt.apimachinery import _inline

# Optional scalars whose zero value is kept, since their Go type is a pointer.
_POINTERS_TEXT = """
    activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion apiGroup
    appArmorProfile appProtocol attachRequired automountServiceAccountToken averageUtilization backoffLimit
    backoffLimitPerIndex blockOwnerDeletion collisionCount completions controller defaultMode
    deletionGracePeriodSeconds enableServiceLinks expirationSeconds failedJobsHistoryLimit fsGroup
    fsGroupChangePolicy holderIdentity hostUsers hostnameOverride immutable ingressClassName
    internalTrafficPolicy ipFamilyPolicy leaseDurationSeconds leaseTransitions lendablePercent limitPercent
    loadBalancerClass managedBy manualSelector maxFailedIndexes maxSurge maxUnavailable minAvailable minDomains
    minReplicas mode
    nominalConcurrencyShares nodeAffinityPolicy nodeTaintsPolicy optional parallelism partition
    persistentVolumeName podInfoOnMount podReplacementPolicy preemptionPolicy preferredHolder priority
    privileged progressDeadlineSeconds readOnlyRootFilesystem recursiveReadOnly reinvocationPolicy replicas
    requiresRepublish resourceClaimName resourceClaimTemplateName revisionHistoryLimit runAsGroup runAsNonRoot
    runAsUser runtimeClassName seLinuxMount serving setHostnameAsFQDN shareProcessNamespace
    stabilizationWindowSeconds started startingDeadlineSeconds storageCapacity storageClassName strategy
    successfulJobsHistoryLimit suspend terminating terminatingReplicas terminationGracePeriodSeconds timeZone
    tokenRequestsExpiration tolerationSeconds trafficDistribution ttlSecondsAfterFinished
    volumeAttributesClassName volumeMode unhealthyPodEvictionPolicy
"""
POINTERS = frozenset(_POINTERS_TEXT.split())

# The same names where they are plain values, and names that are pointers in one place only.
_VALUES = """
    ScaleSpec.replicas ScaleStatus.replicas DeploymentStatus.replicas ReplicaSetStatus.replicas
    StatefulSetStatus.replicas ReplicationControllerStatus.replicas PersistentVolumeSpec.storageClassName
    CSIPersistentVolumeSource.storageClassName PodSpec.runtimeHandler SubjectAccessReviewSpec.apiGroup
    Subject.apiGroup RoleRef.apiGroup
"""
_POINTERS = """
    ContainerStatus.started EndpointConditions.ready EndpointPort.name EndpointPort.port EndpointPort.protocol
    Endpoint.hostname Endpoint.nodeName Endpoint.zone EndpointAddress.nodeName ServiceReference.port
    ServiceReference.path WebhookClientConfig.url ClientIPConfig.timeoutSeconds MutatingWebhook.timeoutSeconds
    ValidatingWebhook.timeoutSeconds GRPCAction.service JobStatus.ready HorizontalPodAutoscalerStatus.observedGeneration
    HTTPIngressPath.pathType IngressClassParametersReference.namespace TypedObjectReference.namespace
    Preconditions.uid Preconditions.resourceVersion VolumeAttachmentSource.persistentVolumeName
    TokenRequestSpec.expirationSeconds IngressClassParametersReference.scope
    PersistentVolumeClaimStatus.currentVolumeAttributesClassName PodDNSConfigOption.value
    CustomResourceConversion.strategy CustomResourceDefinitionVersion.deprecationWarning
    CustomResourceSubresourceScale.labelSelectorPath HPAScalingRules.selectPolicy
    NetworkPolicyPort.protocol NetworkPolicyPort.endPort
    JSONSchemaProps.minimum JSONSchemaProps.maximum JSONSchemaProps.minLength JSONSchemaProps.maxLength
    JSONSchemaProps.minItems JSONSchemaProps.maxItems JSONSchemaProps.minProperties JSONSchemaProps.maxProperties
    JSONSchemaProps.multipleOf JSONSchemaProps.x-kubernetes-preserve-unknown-fields
    JSONSchemaProps.x-kubernetes-list-type JSONSchemaProps.x-kubernetes-map-type
"""

# Times, quantities, ports, lists and structs of kinds that are values: always written, empty or null when not sent.
# Structs inside structs stand in `apimachinery._inline`, since ownership depends on them, too.
_WRITTEN = """
    *.spec *.status PodTemplate.template Event.source Event.involvedObject
    Event.firstTimestamp Event.lastTimestamp Event.eventTime Event.reportingComponent Event.reportingInstance
    Event.deprecatedSource Event.deprecatedFirstTimestamp Event.deprecatedLastTimestamp Event.regarding
    Endpoint.conditions IngressServiceBackend.port ServicePort.targetPort ResourceFieldSelector.divisor
    Role.rules ClusterRole.rules
    PodCondition.lastProbeTime PodCondition.lastTransitionTime NodeCondition.lastHeartbeatTime
    NodeCondition.lastTransitionTime DeploymentCondition.lastUpdateTime DeploymentCondition.lastTransitionTime
    ReplicaSetCondition.lastTransitionTime ReplicationControllerCondition.lastTransitionTime
    StatefulSetCondition.lastTransitionTime DaemonSetCondition.lastTransitionTime JobCondition.lastProbeTime
    JobCondition.lastTransitionTime PersistentVolumeClaimCondition.lastProbeTime
    PersistentVolumeClaimCondition.lastTransitionTime NamespaceCondition.lastTransitionTime
    HorizontalPodAutoscalerCondition.lastTransitionTime CertificateSigningRequestCondition.lastUpdateTime
    CertificateSigningRequestCondition.lastTransitionTime CustomResourceDefinitionCondition.lastTransitionTime
    APIServiceCondition.lastTransitionTime FlowSchemaCondition.lastTransitionTime
    PriorityLevelConfigurationCondition.lastTransitionTime
    ContainerStateRunning.startedAt ContainerStateTerminated.startedAt ContainerStateTerminated.finishedAt
    CustomResourceDefinitionStatus.conditions CustomResourceDefinitionStatus.storedVersions
    HorizontalPodAutoscalerStatus.currentMetrics HorizontalPodAutoscalerStatus.desiredReplicas
    PodDisruptionBudgetStatus.currentHealthy PodDisruptionBudgetStatus.desiredHealthy
    PodDisruptionBudgetStatus.disruptionsAllowed PodDisruptionBudgetStatus.expectedPods
    ClusterRoleBinding.roleRef RoleBinding.roleRef
"""

# Structs that are pointers although `*.spec` or `*.status` would name them.
_POINTER_STRUCTS = frozenset(("NetworkPolicy.status", "LimitRange.status", "Eviction.spec"))

# Texts and numbers that are never left out although OpenAPI calls them optional.
_WRITTEN_SET = frozenset(_WRITTEN.split())
_VALUE_SET = frozenset(_VALUES.split())
_POINTER_SET = frozenset(_POINTERS.split())


def nil_when_absent(owner: str, wire: str) -> bool:
    """Whether a required struct is a pointer, which is null when absent."""
    return wire in _inline.POINTERS.get(owner, ())


def keeps_zero(owner: str, wire: str) -> bool:
    """Whether the optional scalar `wire` of the type `owner` is a pointer, so that zero is not absence."""
    name = f"{owner}.{wire}"
    if name in _POINTER_SET:
        return True
    return wire in POINTERS and name not in _VALUE_SET


def always_written(owner: str, wire: str, *, top: bool) -> bool:
    """Whether the field is written even when absent. `top`: `owner` is a kind, not a struct inside one."""
    name = f"{owner}.{wire}"
    if name in _POINTER_STRUCTS:
        return False
    if wire in _inline.STRUCTS.get(owner, ()):
        return True
    return name in _WRITTEN_SET or (top and f"*.{wire}" in _WRITTEN_SET)
