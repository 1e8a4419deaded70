import type {
  V1ConfigMap,
  V1Deployment,
  V1Lease,
  V1Node,
  V1NetworkPolicy,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
  V1StorageClass,
} from '@kubernetes/client-node';
import type { KubeObject } from './object.ts';
import { resource } from './resource.ts';

/** client-node's model as it is on the wire: dates are strings, `_from` is `from`, all is read-only optional JSON. */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer U)[]
    ? Wire<U>[]
    : T extends object
      ? { [K in keyof T as K extends '_from' ? 'from' : K]: Wire<T[K]> }
      : T;

type WireObject<T> = KubeObject & Wire<Omit<T, 'apiVersion' | 'kind' | 'metadata'>>;

export type Pod = WireObject<V1Pod>;
export type Service = WireObject<V1Service>;
export type Deployment = WireObject<V1Deployment>;
export type PersistentVolumeClaim = WireObject<V1PersistentVolumeClaim>;
export type PodDisruptionBudget = WireObject<V1PodDisruptionBudget>;
export type NetworkPolicy = WireObject<V1NetworkPolicy>;
export type ConfigMap = WireObject<V1ConfigMap>;
export type Secret = WireObject<V1Secret>;
export type Node = WireObject<V1Node>;
export type StorageClass = WireObject<V1StorageClass>;
export type Lease = WireObject<V1Lease>;

/** Resources of Kubernetes itself that controllers commonly read or write. */
export const pods = resource<Pod>('v1', 'Pod', 'pods');
export const services = resource<Service>('v1', 'Service', 'services');
export const configMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const secrets = resource<Secret>('v1', 'Secret', 'secrets');
export const nodes = resource<Node>('v1', 'Node', 'nodes', 'cluster');
export const persistentVolumeClaims = resource<PersistentVolumeClaim>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
);
export const storageClasses = resource<StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses', 'cluster');
export const deployments = resource<Deployment>('apps/v1', 'Deployment', 'deployments');
export const podDisruptionBudgets = resource<PodDisruptionBudget>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const networkPolicies = resource<NetworkPolicy>('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies');
export const leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
