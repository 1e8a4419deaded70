import { describe, expect, it, test } from 'vitest';
import { gatewayRoles } from '../gateways/plan.ts';
import { parseSettings } from '../settings.ts';
import { networkPoliciesOf } from './plan.ts';

const settings = (more: Readonly<Record<string, string>> = {}) =>
  parseSettings({
    QUARTET_NAMESPACE: 'quartet-system',
    QUARTET_NATS_URL: 'nats://a:4222,nats://b:4223',
    QUARTET_IMAGE: 'quartet:1',
    QUARTET_NETWORK_POLICIES: 'true',
    QUARTET_NATS_INSTANCE: 'quartet',
    ...more,
  });

const specOf = (name: string, more?: Readonly<Record<string, string>>) =>
  gatewayRoles
    .flatMap((role) => networkPoliciesOf(role, 'shop', settings(more)))
    .find(({ metadata }) => metadata.name === name)?.spec;

describe('policies of a namespace', () => {
  it('deny both directions for every kind of pod', () => {
    const all = gatewayRoles.flatMap((role) => networkPoliciesOf(role, 'shop', settings()));
    expect(all).toHaveLength(7);
    for (const { spec } of all) expect(spec?.policyTypes).toEqual(['Ingress', 'Egress']);
  });

  it('are none when they are switched off', () => {
    expect(networkPoliciesOf('db-gateway', 'shop', settings({ QUARTET_NETWORK_POLICIES: 'false' }))).toEqual([]);
  });

  test.each([
    ['quartet-edge-router', [8080, 9090]],
    ['quartet-edge', [8081, 9090]],
    ['quartet-search-gateway', [9200, 9090]],
    ['quartet-search', [9090]],
    ['quartet-chat-gateway', [8000, 9090]],
    ['quartet-db', [6379, 9090]],
    ['quartet-db-gateway', [6379, 9090]],
  ])('%s takes connections on %j alone', (name, ports) => {
    expect(specOf(name)?.ingress?.flatMap((rule) => rule.ports?.map(({ port }) => port))).toEqual(ports);
  });

  it('let only routers and edges reach an edge, unless routers redirect clients to it', () => {
    expect(specOf('quartet-edge')?.ingress?.[0]?.from).toHaveLength(2);
    expect(specOf('quartet-edge', { QUARTET_ROUTER_MODE: 'redirect' })?.ingress?.[0]?.from).toBeUndefined();
  });

  it('let members reach names and NATS, and nothing else', () => {
    expect(specOf('quartet-db')?.egress).toEqual([
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'quartet-system' } },
            podSelector: {
              matchLabels: { 'app.kubernetes.io/name': 'quartet-nats', 'app.kubernetes.io/instance': 'quartet' },
            },
          },
        ],
        ports: [{ protocol: 'TCP', port: 4222 }],
      },
    ]);
  });

  it('let pods reach an external NATS by its ports, since addresses of names are not known', () => {
    const egress = specOf('quartet-db', { QUARTET_NATS_INSTANCE: '' })?.egress;
    expect(egress?.at(-1)).toEqual({
      ports: [
        { protocol: 'TCP', port: 4222 },
        { protocol: 'TCP', port: 4223 },
      ],
    });
  });

  it('let metrics be read from the given namespace only', () => {
    const ingress = specOf('quartet-db', { QUARTET_MONITORING_NAMESPACE: 'monitoring' })?.ingress;
    expect(ingress?.at(-1)?.from).toEqual([
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    ]);
  });
});
