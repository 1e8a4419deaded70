import { servicePorts } from '../../contract/pod-env.ts';
import { chatSecret, labels, managedBy, podSpec, shortTolerations, type EnvVar } from '../pod-template.ts';
import type { Deployment, PodDisruptionBudget, Service } from '../runtime/builtin.ts';
import type { Settings } from '../settings.ts';

/** Roles that serve a whole namespace while a resource of their kind exists in it. */
export const gatewayRoles = ['edge-router', 'search-gateway', 'chat-gateway', 'db-gateway'] as const;
export type GatewayRole = (typeof gatewayRoles)[number];

export interface GatewayObjects {
  readonly deployment: Deployment;
  readonly service: Service;
  readonly budget: PodDisruptionBudget;
}

const selectorOf = (role: GatewayRole) => ({ [labels.name]: `quartet-${role}` });

const portNames: Readonly<Record<GatewayRole, string>> = {
  'edge-router': 'http',
  'search-gateway': 'http',
  'chat-gateway': 'http',
  'db-gateway': 'redis',
};

const secretEnv = (name: string, key: string): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: chatSecret, key } },
});

const environment = (role: GatewayRole, settings: Settings): EnvVar[] => {
  if (role === 'chat-gateway') {
    return [
      secretEnv('QUARTET_CHAT_TOKEN_SECRET', 'tokenSecret'),
      secretEnv('QUARTET_CHAT_API_KEY', 'apiKey'),
      { name: 'QUARTET_CHAT_DEVELOPMENT', value: String(settings.chatDevelopment) },
    ];
  }
  if (role !== 'edge-router') return [];
  return [
    { name: 'QUARTET_ROUTER_MODE', value: settings.routerMode },
    { name: 'QUARTET_TRUSTED_PROXIES', value: settings.trustedProxies },
  ];
};

const spread = (role: GatewayRole) =>
  ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selectorOf(role) },
  }));

const deploymentOf = (role: GatewayRole, namespace: string, settings: Settings): Deployment => {
  const podLabels = { ...selectorOf(role), [labels.managedBy]: managedBy, [labels.partOf]: 'quartet' };
  const shape = {
    role,
    env: environment(role, settings),
    port: servicePorts[role],
    cpu: '20m',
    memory: '96Mi',
    graceSeconds: 20,
    leaveSeconds: 4,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: role, namespace, labels: { ...podLabels, [labels.gateway]: role } },
    spec: {
      replicas: settings.gatewayReplicas,
      selector: { matchLabels: selectorOf(role) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: podLabels },
        spec: {
          ...podSpec(shape, settings),
          tolerations: shortTolerations,
          topologySpreadConstraints: spread(role),
        },
      },
    },
  };
};

/** What a gateway consists of. */
export const gatewayObjects = (role: GatewayRole, namespace: string, settings: Settings): GatewayObjects => {
  const port = servicePorts[role];
  const own = {
    ...selectorOf(role),
    [labels.managedBy]: managedBy,
    [labels.partOf]: 'quartet',
    [labels.gateway]: role,
  };
  return {
    deployment: deploymentOf(role, namespace, settings),
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: role, namespace, labels: own },
      spec: {
        type: settings.serviceType,
        selector: selectorOf(role),
        ports: [{ name: portNames[role], port, targetPort: port, protocol: 'TCP' }],
      },
    },
    budget: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: role, namespace, labels: own },
      spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(role) } },
    },
  };
};
