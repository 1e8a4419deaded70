import * as fc from 'fast-check';
import type { FleetSet, FleetView } from './fleet-view.ts';
import { fleetNode, GiB } from './testing.ts';

const letters = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const zones = ['x', 'y', 'z'] as const;

const anySize = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 * GiB }));
const anyWork = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 }));

const anySet = (key: string, nodes: readonly { name: string; zone: string }[]): fc.Arbitrary<FleetSet> =>
  fc
    .record({
      where: fc.shuffledSubarray([...nodes], { minLength: 1, maxLength: 3 }),
      bytes: anySize,
      leaderWork: anyWork,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      health: fc.constantFrom('well', 'well', 'well', 'well', 'unwell', 'busy', 'unknown'),
      restedMs: fc.option(fc.integer({ min: 0, max: 7_200_000 })),
      leadsForMs: fc.constantFrom(0, 3_600_000, 3_600_000),
    })
    .map(({ where, bytes, leaderWork, share, health, restedMs, leadsForMs }) => ({
      key,
      seats: where.map(({ name, zone }) => ({ pod: `${key}-${name}`, node: name, zone })),
      leader: `${key}-${where[0]?.name ?? ''}`,
      leadsForMs,
      settled: health !== 'unwell' && health !== 'busy',
      busy: health === 'busy',
      figures: health === 'unknown' ? null : { bytes, leaderWork, followerWork: leaderWork * share },
      lastMove: restedMs === null ? null : { agoMs: restedMs, bytes },
      movingBytes: health === 'busy' ? bytes : 0,
    }));

/** Three to six nodes in up to three zones, and up to nine sets of up to three replicas. */
export const anyFleet: fc.Arbitrary<FleetView> = fc
  .array(fc.constantFrom(...zones), { minLength: 3, maxLength: 6 })
  .chain((places) => {
    const nodes = places.map((zone, i) => fleetNode(letters[i] ?? '', { zone }));
    const sets = fc
      .integer({ min: 1, max: 9 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => anySet(`s${i}`, nodes))));
    const closed = fc.option(fc.constantFrom(...nodes));
    return fc.tuple(sets, closed).map(([all, one]) => ({
      nodes: nodes.map((node) => (node === one ? { ...node, usable: false, steadyForMs: 0 } : node)),
      sets: all,
      sinceLeadMs: 3_600_000,
    }));
  });
