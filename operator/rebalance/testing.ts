import type { FleetNode, FleetSet, FleetView } from './fleet-view.ts';

/** Views for tests: each part has sound defaults, a case says only what matters to it. */

export const GiB = 2 ** 30;

/** `node-a` in `zone-a`. */
export const fleetNode = (letter: string, over: Partial<FleetNode> = {}): FleetNode => ({
  name: `node-${letter}`,
  zone: `zone-${letter}`,
  usable: true,
  steadyForMs: 3_600_000,
  rebuilding: 0,
  ...over,
});

/** A set with a replica on each node of the letters; the first leads. `app` on `ab`: `app-a` leads, `app-b` follows. */
export const fleetSet = (key: string, letters: string, over: Partial<FleetSet> = {}): FleetSet => ({
  key,
  seats: [...letters].map((letter) => ({ pod: `${key}-${letter}`, node: `node-${letter}`, zone: `zone-${letter}` })),
  leader: `${key}-${letters[0] ?? ''}`,
  leadsForMs: 3_600_000,
  settled: true,
  busy: false,
  figures: { bytes: 0, leaderWork: 0, followerWork: 0 },
  lastMove: null,
  movingBytes: 0,
  ...over,
});

export const fleetView = (letters: string, sets: readonly FleetSet[], over: Partial<FleetView> = {}): FleetView => ({
  nodes: [...letters].map((letter) => fleetNode(letter)),
  sets,
  sinceLeadMs: 3_600_000,
  ...over,
});

export const figures = (bytes: number, leaderWork = 0, followerWork = 0) => ({
  figures: { bytes, leaderWork, followerWork },
});
