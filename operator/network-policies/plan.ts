import { servicePorts } from '../../contract/pod-env.ts';
import type { GatewayRole } from '../gateways/plan.ts';
import { labels, managedBy } from '../pod-template.ts';
import type { NetworkPolicy } from '../runtime/builtin.ts';
import type { Settings } from '../settings.ts';

type Spec = NonNullable<NetworkPolicy['spec']>;
type Ingress = NonNullable<Spec['ingress']>[number];
type Egress = NonNullable<Spec['egress']>[number];

const adminPort = 9090;
const dnsPort = 53;
const natsPort = 4222;
const tcp = (...ports: readonly number[]) => ports.map((port) => ({ protocol: 'TCP', port }));
const podsNamed = (name: string) => ({ podSelector: { matchLabels: { [labels.name]: name } } });
const namespaceNamed = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

/** What a kind of pod does on the network besides what all do. */
interface Traffic {
  readonly ingress?: readonly Ingress[];
  readonly egress?: readonly Egress[];
}

type Component = 'edge' | 'edge-router' | 'search' | 'search-gateway' | 'chat-gateway' | 'db' | 'db-gateway';

/** Anyone may be a client of a service; what reaches it from outside is the matter of its Service. */
const clients = (component: Component): Ingress => ({ ports: tcp(servicePorts[component]) });

const trafficOf = (component: Component, { routerMode }: Settings): Traffic => {
  switch (component) {
    case 'edge':
      return {
        // a router that redirects sends clients to the edges themselves
        ingress: [
          routerMode === 'redirect'
            ? clients('edge')
            : { from: [podsNamed('quartet-edge-router'), podsNamed('quartet-edge')], ports: tcp(servicePorts.edge) },
        ],
        // origins are anywhere
        egress: [{}],
      };
    case 'edge-router':
      return {
        ingress: [clients(component)],
        egress: [{ to: [podsNamed('quartet-edge')], ports: tcp(servicePorts.edge) }],
      };
    case 'search':
      return {};
    default:
      return { ingress: [clients(component)] };
  }
};

/** Port numbers of the addresses in a list such as `nats://a:4222,tls://b`. */
const portsOf = (url: string): number[] => {
  const ports = url.split(',').map((server) => Number(/:(\d+)$/.exec(server)?.[1] ?? natsPort));
  return [...new Set(ports)];
};

/** The servers of NATS. */
export const toNats = ({ namespace, nats, networkPolicies }: Settings): Egress => {
  const instance = networkPolicies?.natsInstance ?? '';
  if (instance === '') return { ports: tcp(...portsOf(nats.url)) };
  const pods = { matchLabels: { [labels.name]: 'quartet-nats', [labels.instance]: instance } };
  return { to: [{ ...namespaceNamed(namespace), podSelector: pods }], ports: tcp(natsPort) };
};

const monitoring = ({ networkPolicies }: Settings): Ingress => {
  const namespace = networkPolicies?.monitoringNamespace ?? '';
  return { ...(namespace !== '' && { from: [namespaceNamed(namespace)] }), ports: tcp(adminPort) };
};

/** Where names are asked for. */
export const toNames: Egress = {
  ports: [
    { protocol: 'UDP', port: dnsPort },
    { protocol: 'TCP', port: dnsPort },
  ],
};

const policyOf = (component: Component, gateway: GatewayRole, namespace: string, settings: Settings): NetworkPolicy => {
  const { ingress = [], egress = [] } = trafficOf(component, settings);
  const name = `quartet-${component}`;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name,
      namespace,
      labels: {
        [labels.name]: name,
        [labels.managedBy]: managedBy,
        [labels.partOf]: 'quartet',
        [labels.gateway]: gateway,
      },
    },
    spec: {
      podSelector: { matchLabels: { [labels.name]: name, [labels.managedBy]: managedBy } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [...ingress, monitoring(settings)],
      egress: [...egress, toNames, toNats(settings)],
    },
  };
};

const components: Readonly<Record<GatewayRole, readonly Component[]>> = {
  'edge-router': ['edge-router', 'edge'],
  'search-gateway': ['search-gateway', 'search'],
  'chat-gateway': ['chat-gateway'],
  'db-gateway': ['db-gateway', 'db'],
};

/**
 * What the pods of a service may do on the network, while the service is in a namespace: all else is denied. Members
 * speak to each other and to their gateway over NATS, so NATS is all that they reach. None when policies are off.
 */
export const networkPoliciesOf = (gateway: GatewayRole, namespace: string, settings: Settings): NetworkPolicy[] =>
  settings.networkPolicies === null
    ? []
    : components[gateway].map((component) => policyOf(component, gateway, namespace, settings));
