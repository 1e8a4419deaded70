import * as fc from 'fast-check';
import type { ReplicaState } from '../../contract/heartbeat.ts';
import type { BeatView, Improvement, MoveRequest, NodeView, Presence, ReplicaView, SetView } from './view.ts';

const states: readonly ReplicaState[] = ['starting', 'rebuilding', 'following', 'promoting', 'primary', 'halted'];
const presences: readonly Presence[] = ['running', 'running', 'running', 'pending', 'terminating', 'failed', 'absent'];
const letters = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const anyNode = (letter: string): fc.Arbitrary<NodeView> =>
  fc
    .record({
      zone: fc.constantFrom('x', 'y', 'z'),
      state: fc.constantFrom('usable', 'usable', 'usable', 'cordoned', 'lost'),
      forMs: fc.integer({ min: 0, max: 60_000 }),
      replicas: fc.integer({ min: 0, max: 10 }),
      primaries: fc.integer({ min: 0, max: 5 }),
      rebuilding: fc.integer({ min: 0, max: 1 }),
    })
    .map(({ zone, state, forMs, ...load }) => ({
      name: `node-${letter}`,
      zone,
      usable: state === 'usable',
      lost: state === 'lost',
      unusableForMs: state === 'usable' ? 0 : forMs,
      steadyForMs: state === 'usable' ? forMs : 0,
      ...load,
    }));

/** Six nodes in up to three zones, in any condition. */
export const anyNodes: fc.Arbitrary<NodeView[]> = fc.tuple(...letters.map(anyNode));

const anyBeat: fc.Arbitrary<BeatView> = fc
  .record({
    state: fc.constantFrom(...states),
    term: fc.integer({ min: 0, max: 5 }),
    applied: fc.integer({ min: 0, max: 5000 }),
    lag: fc.integer({ min: 0, max: 2000 }),
    ageMs: fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 0, max: 60_000 })),
    upForMs: fc.integer({ min: 0, max: 100_000 }),
    stateForMs: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ lag, applied, ...rest }) => ({ ...rest, applied, tail: applied + lag }));

const anyReplica = (number: number, node: NodeView): fc.Arbitrary<ReplicaView> =>
  fc.record({
    pod: fc.constant(`r${number}`),
    number: fc.constant(number),
    node: fc.constant(node.name),
    zone: fc.constant(node.zone),
    presence: fc.constantFrom(...presences),
    ready: fc.boolean(),
    outdated: fc.boolean(),
    labelledPrimary: fc.boolean(),
    createdForMs: fc.integer({ min: 0, max: 1_000_000 }),
    beat: fc.option(anyBeat),
    refused: fc.boolean(),
    replaces: fc.constantFrom(null, null, 'r0', 'r1'),
  });

const anyReplicas = (nodes: readonly NodeView[]): fc.Arbitrary<ReplicaView[]> =>
  fc
    .shuffledSubarray([...nodes], { maxLength: 5 })
    .chain((chosen) => fc.tuple(...chosen.map((node, number) => anyReplica(number, node))));

const anyPod = fc.constantFrom('r0', 'r1', 'r2', 'r9');
const anyNodeName = fc.constantFrom('node-a', 'node-b', 'node-c', 'node-f', 'node-x');

const anyMove: fc.Arbitrary<MoveRequest> = fc.record({
  replica: anyPod,
  to: fc.option(anyNodeName),
  why: fc.constant('somebody asked'),
  automatic: fc.boolean(),
  replacement: fc.option(anyPod),
});

const anyImprovement: fc.Arbitrary<Improvement> = fc.oneof(
  fc.record({ type: fc.constant('lead' as const), pod: anyPod, why: fc.constant('load') }),
  fc.record({ type: fc.constant('move' as const), pod: anyPod, to: anyNodeName, why: fc.constant('size') }),
);

/** Any situation of a replica set that the never-two-on-a-node rule allows. */
export const anyView: fc.Arbitrary<SetView> = anyNodes.chain((nodes) =>
  anyReplicas(nodes).chain((replicas) => {
    const pods = replicas.map(({ pod }) => pod);
    return fc.record({
      desired: fc.integer({ min: 1, max: 5 }),
      replicas: fc.constant(replicas),
      nodes: fc.constant(nodes),
      nextNumber: fc.constant(replicas.length),
      recorded: fc.record({
        primary: pods.length === 0 ? fc.constant(null) : fc.option(fc.constantFrom(...pods)),
        term: fc.integer({ min: 0, max: 5 }),
      }),
      settling: fc.constant(false),
      evidence: fc.constantFrom('sound' as const, 'none' as const),
      listeningForMs: fc.integer({ min: 0, max: 200_000 }),
      inFlight: fc.constant(null),
      elections: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 8 }),
      rollOutWaitsFor: fc.option(fc.constant('another set goes first')),
      move: fc.option(anyMove),
      improvement: fc.option(anyImprovement),
      suspectAfterMs: fc.constant(1500),
      replaceAfterMs: fc.constant(10_000),
    });
  }),
);
