import { describe, expect, it, test } from 'vitest';
import { edgeNodeEntry as entrySchema } from '../../contract/directory.ts';
import { edgeNodeSpec } from '../../crds/edge-node.ts';
import type { EdgeNode } from '../kinds.ts';
import { parseSettings } from '../settings.ts';
import { edgeDeployment, planEdgeNode, type EdgeNodeObserved, type EdgePod } from './plan.ts';

const edge = (spec: object = {}, status?: object): EdgeNode =>
  ({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'EdgeNode',
    metadata: { name: 'frankfurt', namespace: 'shop', generation: 1 },
    spec: edgeNodeSpec.parse({
      location: { country: 'DE', city: 'Frankfurt' },
      coordinates: '50.11,-8.68',
      origins: [{ service: { name: 'site', port: 8000 } }],
      ...spec,
    }),
    ...(status && { status }),
  }) as EdgeNode;

const pod = (name: string, over: Partial<EdgePod> = {}): EdgePod => ({
  pod: name,
  ip: '10.0.0.1',
  ready: true,
  load: { requestsPerSecond: 10, hitRate: 0.5 },
  ...over,
});

const observed = (over: Partial<EdgeNodeObserved> = {}): EdgeNodeObserved => ({
  edge: edge(),
  nats: { state: 'ok' },
  pods: [pod('p1')],
  serviceAddress: (name) => (name === 'site' ? '10.96.0.7' : null),
  routers: 2,
  foreign: [],
  figuresSinceMs: 60_000,
  ...over,
});

describe('the document of an edge', () => {
  it('is what the contract says, with numbers in place of quantities, durations and coordinates', () => {
    const { entry } = planEdgeNode(observed());
    expect(entrySchema.parse(entry)).toEqual(entry);
    expect(entry).toMatchObject({
      latitude: 50.11,
      longitude: -8.68,
      capacity: { bandwidthMbit: 1000, storageBytes: 10 * 2 ** 30, connections: 10_000 },
      cache: { memoryBytes: 64 * 2 ** 20, defaultTtl: false },
      origins: [{ hosts: ['*'], url: 'http://10.96.0.7:8000' }],
      endpoints: [{ pod: 'p1', url: 'http://10.0.0.1:8081' }],
      draining: false,
    });
  });

  it('holds the policies of the requirements by default', () => {
    const policies = planEdgeNode(observed()).entry?.cache.policies;
    expect(policies?.map((p) => [p.contentType, p.ttlSeconds, p.maxObjectBytes, p.priority])).toEqual([
      ['image', 86_400, 10 * 2 ** 20, 8],
      ['video', 604_800, 100 * 2 ** 20, 9],
      ['html', 3600, 2 ** 20, 6],
      ['css', 86_400, 100 * 1024, 7],
      ['javascript', 86_400, 500 * 1024, 7],
      ['other', 3600, 2 ** 20, 5],
    ]);
  });

  it('names ready pods only, in a stable order', () => {
    const pods = [pod('p3'), pod('p1', { ready: false }), pod('p2'), pod('p4', { ip: '' })];
    expect(planEdgeNode(observed({ pods })).entry?.endpoints.map((one) => one.pod)).toEqual(['p2', 'p3']);
  });

  it('drains when the spec says so', () => {
    expect(planEdgeNode(observed({ edge: edge({ drain: true }) })).entry?.draining).toBe(true);
  });

  it('is left alone while NATS is away', () => {
    expect(planEdgeNode(observed({ nats: { state: 'away', problem: 'x' } })).entry).toBeNull();
  });
});

describe('an edge', () => {
  test.each<[string, Partial<EdgeNodeObserved>, string]>([
    ['with a ready pod, a router and its origins', {}, 'Serving'],
    ['that drains', { edge: edge({ drain: true }) }, 'Draining'],
    ['without a ready pod', { pods: [pod('p1', { ready: false })] }, 'NoPodReady'],
    ['of no pods', { edge: edge({ replicas: 0 }), pods: [] }, 'ScaledToZero'],
    ['without a router', { routers: 0 }, 'GatewayUnavailable'],
    ['whose origin does not exist', { serviceAddress: () => null }, 'OriginMissing'],
    ['without NATS', { nats: { state: 'away', problem: 'x' } }, 'MessagingUnavailable'],
  ])('%s says so', (_, over, reason) => {
    expect(planEdgeNode(observed(over)).conditions[0]).toMatchObject({ type: 'Ready', reason });
  });

  it('shows its hit ratio weighted by requests, and rarely', () => {
    const pods = [
      pod('p1', { load: { requestsPerSecond: 90, hitRate: 1 } }),
      pod('p2', { load: { requestsPerSecond: 10, hitRate: 0 } }),
    ];
    expect(planEdgeNode(observed({ pods })).status).toMatchObject({ hitRatio: '90%', requestsPerSecond: 100 });
    const shown = edge({}, { hitRatio: '10%', requestsPerSecond: 5 });
    expect(planEdgeNode(observed({ edge: shown, pods, figuresSinceMs: 9000 })).status.hitRatio).toBe('10%');
  });

  it('runs under Pod Security restricted, without a token', () => {
    const settings = parseSettings({ QUARTET_NATS_URL: 'nats://n:4222', QUARTET_IMAGE: 'quartet:1' });
    const spec = edgeDeployment(edge(), settings).spec?.template?.spec;
    expect(spec?.automountServiceAccountToken).toBe(false);
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec?.containers?.[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});
