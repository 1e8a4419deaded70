import type { ReplicaState } from '../../contract/heartbeat.ts';
import type { BeatView, NodeView, ReplicaView, SetView } from './view.ts';

/** Views for tests: each part has sound defaults, a case says only what matters to it. */

/** A node in a zone of its own letter: `node-a` in `zone-a`. */
export const node = (letter: string, over: Partial<NodeView> = {}): NodeView => ({
  name: `node-${letter}`,
  zone: `zone-${letter}`,
  usable: true,
  lost: false,
  unusableForMs: 0,
  steadyForMs: 60_000,
  replicas: 1,
  primaries: 0,
  rebuilding: 0,
  ...over,
});

/** A node that has been lost for a while. */
export const lostNode = (letter: string, forMs: number): NodeView =>
  node(letter, { usable: false, lost: true, unusableForMs: forMs, steadyForMs: 0 });

/** A node that works and takes no new pods. */
export const cordoned = (letter: string, forMs: number): NodeView =>
  node(letter, { usable: false, unusableForMs: forMs, steadyForMs: 0 });

/** A fresh heartbeat in a state. */
export const beat = (state: ReplicaState, over: Partial<BeatView> = {}): BeatView => ({
  state,
  term: 1,
  applied: 100,
  tail: 100,
  ageMs: 100,
  upForMs: 60_000,
  stateForMs: 60_000,
  ...over,
});

/** A replica `r<number>` on a node. */
export const replica = (number: number, letter: string, over: Partial<ReplicaView> = {}): ReplicaView => ({
  pod: `r${number}`,
  number,
  node: `node-${letter}`,
  zone: `zone-${letter}`,
  presence: 'running',
  ready: true,
  outdated: false,
  labelledPrimary: false,
  createdForMs: 3_600_000,
  beat: beat('following'),
  refused: false,
  replaces: null,
  ...over,
});

/** The primary `r<number>`. */
export const primary = (number: number, letter: string, over: Partial<ReplicaView> = {}): ReplicaView =>
  replica(number, letter, { labelledPrimary: true, beat: beat('primary'), ...over });

/** A settled set of three on three nodes, r0 leads with term 1. */
export const view = (over: Partial<SetView> = {}): SetView => ({
  desired: 3,
  replicas: [primary(0, 'a'), replica(1, 'b'), replica(2, 'c')],
  nodes: [node('a', { primaries: 1 }), node('b'), node('c')],
  nextNumber: 3,
  recorded: { primary: 'r0', term: 1 },
  settling: false,
  evidence: 'sound',
  listeningForMs: 3_600_000,
  inFlight: null,
  elections: [],
  rollOutWaitsFor: null,
  move: null,
  improvement: null,
  suspectAfterMs: 1500,
  replaceAfterMs: 10_000,
  ...over,
});
