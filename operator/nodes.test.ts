import { describe, expect, it } from 'vitest';
import { NodeStates, readNode } from './nodes.ts';
import type { Node } from './runtime/builtin.ts';

const at = Date.parse('2026-01-01T00:01:00Z');

const node = (name: string, over: { ready?: string; cordoned?: boolean; taint?: string } = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'topology.kubernetes.io/zone': 'zone-1' } },
  spec: {
    ...(over.cordoned && { unschedulable: true }),
    ...(over.taint && { taints: [{ key: over.taint, effect: 'NoSchedule' }] }),
  },
  status: {
    conditions: [{ type: 'Ready', status: over.ready ?? 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  },
});

describe('a node', () => {
  it('is usable when it is ready, not cordoned and not tainted', () => {
    expect(readNode(node('a'), at)).toMatchObject({ usable: true, lost: false, zone: 'zone-1' });
    expect(readNode(node('a', { cordoned: true }), at)).toMatchObject({ usable: false, lost: false });
    expect(readNode(node('a', { taint: 'gpu' }), at)).toMatchObject({ usable: false, lost: false });
  });
  it('is lost when Kubernetes does not know it to be ready', () => {
    for (const ready of ['False', 'Unknown']) {
      expect(readNode(node('a', { ready }), at)).toMatchObject({ usable: false, lost: true });
    }
  });
  it('is not kept out by the taints that its conditions make', () => {
    expect(readNode(node('a', { taint: 'node.kubernetes.io/not-ready' }), at).usable).toBe(true);
  });
});

describe('states of nodes', () => {
  it('count from the change of the Ready condition at first sight, from then on from what was seen', () => {
    const states = new NodeStates();
    states.update([node('a')], at);
    expect(states.get('a')?.since).toBe(Date.parse('2026-01-01T00:00:00Z'));
    expect(states.update([node('a', { cordoned: true })], at + 5)).toEqual(['a']);
    expect(states.get('a')).toMatchObject({ usable: false, since: at + 5 });
    expect(states.update([node('a', { cordoned: true })], at + 9)).toEqual([]);
    expect(states.get('a')?.since).toBe(at + 5);
  });
  it('keep a node that is gone as lost', () => {
    const states = new NodeStates();
    states.update([node('a'), node('b')], at);
    expect(states.update([node('b')], at + 1)).toEqual(['a']);
    expect(states.get('a')).toMatchObject({ lost: true, since: at + 1 });
    expect(states.update([node('b')], at + 2)).toEqual([]);
  });
});
