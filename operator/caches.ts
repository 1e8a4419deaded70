import { chatRooms, dbBackups, dbShards, edgeNodes, searchShards } from './kinds.ts';
import type { Caches } from './operation.ts';
import { chatSecret, labels, managedBy, natsSecret } from './pod-template.ts';
import {
  deployments,
  networkPolicies,
  nodes,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  secrets,
  services,
  storageClasses,
  type Node,
  type Service,
} from './runtime/builtin.ts';
import type { Manager } from './runtime/manager.ts';
import type { KubeObject } from './runtime/object.ts';

const ours = { labelSelector: `${labels.managedBy}=${managedBy}` };

/** `db/<namespace>/<name>`, `search/…`, `edge/…`: the custom resource that an object was made for, by its labels. */
export const resourceOf = ({ metadata }: KubeObject): string | null => {
  const kind = /^quartet-(db|search|edge)$/.exec(metadata.labels?.[labels.name] ?? '')?.[1];
  const instance = metadata.labels?.[labels.instance];
  return kind === undefined || instance === undefined ? null : `${kind}/${metadata.namespace ?? ''}/${instance}`;
};

const bySet = {
  set: (object: KubeObject): string[] => {
    const resource = resourceOf(object);
    return resource === null ? [] : [resource];
  },
};

const trimService = (service: Service): Service => {
  const { status: _, ...rest } = service;
  return rest as Service;
};

const trimNode = (node: Node): Node => {
  const { images: _, ...status } = node.status ?? {};
  return { ...node, status } as Node;
};

/** Declares all caches of the operator. */
export const declareCaches = (manager: Manager): Caches => ({
  edgeNodes: manager.cache(edgeNodes),
  searchShards: manager.cache(searchShards),
  chatRooms: manager.cache(chatRooms),
  dbShards: manager.cache(dbShards),
  dbBackups: manager.cache(dbBackups),
  pods: manager.cache(pods, { ...ours, indexes: bySet }),
  claims: manager.cache(persistentVolumeClaims, { ...ours, indexes: bySet }),
  deployments: manager.cache(deployments, ours),
  budgets: manager.cache(podDisruptionBudgets, ours),
  networkPolicies: manager.cache(networkPolicies, ours),
  // origins name Services of users, so these are not ours alone
  services: manager.cache(services, { trim: trimService }),
  nodes: manager.cache(nodes, { trim: trimNode }),
  storageClasses: manager.cache(storageClasses),
  // by name: the operator may not list other Secrets
  natsSecrets: manager.cache(secrets, { fieldSelector: `metadata.name=${natsSecret}` }),
  chatSecrets: manager.cache(secrets, { fieldSelector: `metadata.name=${chatSecret}` }),
});
