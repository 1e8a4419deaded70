import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyNodes } from './arbitrary.ts';
import { placeReplica } from './placement.ts';
import { lostNode, node, replica } from './testing.ts';
import type { NodeView } from './view.ts';

describe('placement', () => {
  it('takes the zone with the fewest replicas of the set first', () => {
    const nodes = [node('a'), node('b', { zone: 'zone-a', replicas: 0 }), node('c', { replicas: 9 })];
    expect(placeReplica({ nodes, replicas: [replica(0, 'a')] })?.name).toBe('node-c');
  });

  it('takes the node with the fewest replicas of a zone', () => {
    const nodes = [node('a', { zone: 'z', replicas: 2 }), node('b', { zone: 'z', replicas: 1 })];
    expect(placeReplica({ nodes, replicas: [] })?.name).toBe('node-b');
  });

  it('takes no node that is lost, cordoned or kept out', () => {
    const nodes = [lostNode('a', 1), node('b', { usable: false }), node('c', { rebuilding: 1 })];
    expect(placeReplica({ nodes, replicas: [], allowed: ({ rebuilding }) => rebuilding === 0 })).toBeNull();
  });

  it('places nothing when every usable node holds a replica of the set', () => {
    expect(placeReplica({ nodes: [node('a')], replicas: [replica(0, 'a')] })).toBeNull();
  });

  it('never puts two replicas of a set on one node, and never on an unusable one', () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 1, max: 9 }), (nodes, wanted) => {
        const placed: NodeView[] = [];
        for (let i = 0; i < wanted; i++) {
          const next = placeReplica({ nodes, replicas: placed.map(({ name, zone }) => ({ node: name, zone })) });
          if (next === null) break;
          placed.push(next);
        }
        expect(new Set(placed.map(({ name }) => name)).size).toBe(placed.length);
        for (const { usable } of placed) expect(usable).toBe(true);
      }),
    );
  });

  it('spreads over zones as evenly as usable nodes allow', () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const replicas: { node: string; zone: string }[] = [];
        for (let i = 0; i < 3; i++) {
          const next = placeReplica({ nodes, replicas });
          if (next) replicas.push({ node: next.name, zone: next.zone });
        }
        const zones = new Set(nodes.filter(({ usable }) => usable).map(({ zone }) => zone));
        const used = new Set(replicas.map(({ zone }) => zone));
        expect(used.size).toBe(Math.min(zones.size, replicas.length));
      }),
    );
  });
});
