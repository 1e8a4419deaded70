import { describe, expect, it, test } from 'vitest';
import type { LogVerdict } from '../messaging.ts';
import type { NatsState } from '../nats-link.ts';
import { beat, lostNode, node, primary, replica, view } from '../replicas/testing.ts';
import type { DesiredCondition } from '../runtime/conditions.ts';
import type { ReplicaSet } from './kind.ts';
import { planReplicaSet, type SetObserved } from './plan.ts';

const log = { stream: 'S', created: 'monday' };
const ok: NatsState = { state: 'ok' };
const good: LogVerdict = { type: 'good', log };

const set = (status?: object): ReplicaSet =>
  ({
    apiVersion: 'quartet.dev/v1alpha1',
    kind: 'DBShard',
    metadata: { name: 'users', namespace: 'shop', uid: 'uid-1', generation: 2 },
    spec: { replicas: 3, storage: { size: '1Gi', className: '', policy: 'Retain' } },
    ...(status && { status }),
  }) as ReplicaSet;

const observed = (over: Partial<SetObserved> = {}): SetObserved => ({
  kind: 'db',
  set: set(),
  view: view(),
  nats: ok,
  natsAwayMs: 0,
  log: good,
  gateways: 2,
  judgement: { conditions: [], conflict: null },
  orphans: [],
  foreign: [],
  volumes: {
    className: '',
    classes: [],
    claims: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, status: { phase: 'Bound' } }],
  },
  servers: { durability: { state: 'always' }, unfit: null },
  figures: { keys: 5, bytes: 100 },
  figuresSinceMs: 60_000,
  now: 0,
  ...over,
});

const of = (conditions: readonly DesiredCondition[], type: string) => conditions.find((one) => one.type === type);

const readyReason = (over: Partial<SetObserved>): string | undefined =>
  of(planReplicaSet(observed(over)).conditions, 'Ready')?.reason;

describe('a replica set', () => {
  it('that is settled is ready, asks for nothing and is not looked at again', () => {
    const plan = planReplicaSet(observed());
    expect(plan.actions).toEqual([]);
    expect(plan.requeueAfterMs).toBeUndefined();
    expect(plan.conditions.map(({ type, status, reason }) => `${type} ${String(status)} ${reason}`)).toEqual([
      'Ready true Serving',
      'Progressing false Settled',
      'Degraded false AsDesired',
      'LogLost false LogPresent',
      'VolumesReady true Bound',
      'Durable true SyncAlways',
    ]);
    expect(plan.status).toMatchObject({ primary: 'r0', term: 1, replicas: 3, readyReplicas: 3, keys: 5, log });
    expect(plan.entry).toMatchObject({ primary: 'r0', term: 1, log, conflict: null });
    expect(plan.entry?.members.map(({ pod }) => pod)).toEqual(['r0', 'r1', 'r2']);
  });

  it('says what monitors of NATS say, and what was known before while they are asked', () => {
    const durable = (servers: SetObserved['servers'], before?: object) => {
      const conditions = before && [{ type: 'Durable', ...before }];
      const asked = conditions ? { set: { ...set(), status: { conditions } } as ReplicaSet } : {};
      return of(planReplicaSet(observed({ servers, ...asked })).conditions, 'Durable');
    };
    const lax = { durability: { state: 'lax', problem: 'set it' }, unfit: null } as const;
    const unasked = { durability: { state: 'unasked' }, unfit: null } as const;
    expect(durable(lax)).toMatchObject({ status: false, reason: 'LaxSync', message: 'set it' });
    expect(durable(unasked)).toMatchObject({ status: 'Unknown', reason: 'NotAsked' });
    expect(durable(unasked, { status: 'True', reason: 'SyncAlways', message: '' })).toMatchObject({
      status: true,
      reason: 'SyncAlways',
    });
    const unfit = planReplicaSet(observed({ servers: { durability: { state: 'always' }, unfit: 'too old' } }));
    expect(of(unfit.conditions, 'MessagingUnfit')).toMatchObject({ status: true, message: 'too old' });
    expect(of(unfit.conditions, 'Ready')).toMatchObject({ status: true });
  });

  test.each<[string, Partial<SetObserved>, string]>([
    ['without a primary', { view: view({ replicas: [replica(1, 'b', { beat: beat('halted') })] }) }, 'NoPrimary'],
    ['without a gateway', { gateways: 0 }, 'GatewayUnavailable'],
    ['in conflict with another', { judgement: { conditions: [], conflict: 'overlap' } }, 'Conflict'],
    ['whose log is lost', { log: { type: 'lost', message: 'gone' } }, 'LogLost'],
    ['whose log is not its own', { log: { type: 'foreign', message: 'other' } }, 'LogForeign'],
    ['on a NATS that is unfit', { nats: { state: 'unfit', problem: 'too old' } }, 'MessagingUnfit'],
    ['when NATS has been away', { nats: { state: 'away', problem: 'away' }, natsAwayMs: 3000 }, 'MessagingUnavailable'],
  ])('%s says why it is not ready', (_, over, reason) => {
    expect(readyReason(over)).toBe(reason);
  });

  test.each<[string, Partial<SetObserved>]>([
    ['NATS is away', { nats: { state: 'away', problem: 'away' }, natsAwayMs: 60_000 }],
    ['NATS is unfit', { nats: { state: 'unfit', problem: 'too old' } }],
    ['the log is lost', { log: { type: 'lost', message: 'gone' } }],
    ['the log is not its own', { log: { type: 'foreign', message: 'other' } }],
    ['the logs were not listed yet', { log: { type: 'wait' } }],
  ])('decides nothing about replicas while %s', (_, over) => {
    const nodes = [lostNode('a', 60_000), node('b'), node('c'), node('d')];
    const replicas = [primary(0, 'a', { beat: beat('primary', { ageMs: 60_000 }) }), replica(1, 'b'), replica(2, 'c')];
    expect(planReplicaSet(observed({ ...over, view: view({ nodes, replicas }) })).actions).toEqual([]);
  });

  it('keeps its status through a short absence of NATS', () => {
    const before = set({ term: 4, primary: 'r9' });
    const plan = planReplicaSet(observed({ set: before, nats: { state: 'away', problem: 'away' }, natsAwayMs: 100 }));
    expect(plan.status).toBe(before.status);
    expect(plan.conditions).toEqual([]);
  });

  it('leaves the directory alone while NATS is away', () => {
    expect(planReplicaSet(observed({ nats: { state: 'away', problem: 'x' }, natsAwayMs: 9000 })).entry).toBeNull();
  });

  it('looks at an unfit NATS once a minute: no hot loop', () => {
    expect(planReplicaSet(observed({ nats: { state: 'unfit', problem: 'x' } })).requeueAfterMs).toBe(60_000);
  });

  it('makes its log first, and only that', () => {
    const fresh = view({ replicas: [], recorded: { primary: null, term: 0 } });
    expect(planReplicaSet(observed({ log: { type: 'create' }, view: fresh })).actions).toEqual([
      { type: 'create-log' },
    ]);
  });

  it('tells what is degraded, and why nothing is done about it', () => {
    const nodes = [node('a', { primaries: 1 }), node('b'), lostNode('c', 60_000)];
    const replicas = [
      primary(0, 'a'),
      replica(1, 'b'),
      replica(2, 'c', { beat: beat('following', { ageMs: 60_000 }) }),
    ];
    const { conditions, entry } = planReplicaSet(observed({ view: view({ nodes, replicas }) }));
    expect(of(conditions, 'Ready')?.status).toBe(true);
    expect(of(conditions, 'Degraded')).toMatchObject({ status: true, reason: 'ReplicasMissing' });
    expect(of(conditions, 'Degraded')?.message).toBe(
      '2 of 3 replicas are caught up; node node-c is lost; no usable node is left that holds no replica of this shard',
    );
    expect(entry?.members.map(({ pod }) => pod)).toEqual(['r0', 'r1']);
  });

  it('removes a pod whose volume is gone, once the set has all that it wants', () => {
    const orphans = ['r9'];
    const why = 'its volume is gone and others have taken its place';
    expect(planReplicaSet(observed({ orphans })).actions).toEqual([{ type: 'delete-pod', pod: 'r9', why }]);
    const short = view({ replicas: [primary(0, 'a'), replica(1, 'b')] });
    expect(planReplicaSet(observed({ orphans, view: short })).actions.map(({ type }) => type)).not.toContain(
      'delete-pod',
    );
  });

  it('tells of objects that are not its own', () => {
    const { conditions, requeueAfterMs } = planReplicaSet(observed({ foreign: ['Service users-primary'] }));
    expect(requeueAfterMs).toBe(30_000);
    expect(of(conditions, 'ObjectsForeign')?.message).toMatch(/Service users-primary/);
  });
});

describe('the status of a replica set', () => {
  const settled = planReplicaSet(observed()).status;
  const moved = (applied: number) =>
    view({
      replicas: [0, 1, 2].map((n) =>
        (n === 0 ? primary : replica)(n, 'abc'[n] ?? '', {
          beat: beat(n === 0 ? 'primary' : 'following', { applied, tail: applied }),
        }),
      ),
    });

  it('is not written for positions in the log alone', () => {
    const plan = planReplicaSet(observed({ set: set(settled), view: moved(9999) }));
    expect(plan.status).toEqual(settled);
  });

  it('shows positions when it is written for another reason', () => {
    const plan = planReplicaSet(observed({ set: set(settled), view: moved(9999), figures: { keys: 50, bytes: 100 } }));
    expect(plan.status.members?.map(({ applied }) => applied)).toEqual([9999, 9999, 9999]);
    expect(plan.status['keys']).toBe(50);
  });

  it('keeps figures while there is no primary to tell them', () => {
    const plan = planReplicaSet(observed({ set: set(settled), figures: { keys: 'unknown', bytes: 'unknown' } }));
    expect(plan.status).toMatchObject({ keys: 5, bytes: 100 });
  });

  it('keeps figures that moved within ten seconds of the last write', () => {
    const plan = planReplicaSet(observed({ set: set(settled), figures: { keys: 50, bytes: 1 }, figuresSinceMs: 9000 }));
    expect(plan.status).toMatchObject({ keys: 5, bytes: 100 });
  });
});
