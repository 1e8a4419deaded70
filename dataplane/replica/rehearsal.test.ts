import { describe, expect, test } from 'vitest';
import { holdsStill } from './rehearsal.ts';

describe('a proof that a peer can give a whole snapshot', () => {
  const minute = 60_000;
  const proof = { pod: 'list-b', at: 0, tookMs: minute };
  const alive = (): boolean => true;

  test('is good for as long as proofs may not take more than a twentieth of the time', () => {
    expect(holdsStill(proof, 19 * minute, alive)).toBe(true);
    expect(holdsStill(proof, 20 * minute, alive)).toBe(false);
  });

  test('of a small store is given each time', () => {
    expect(holdsStill({ ...proof, tookMs: 50 }, 30_000, alive)).toBe(false);
  });

  test('is worth nothing when the peer is gone, and there is none at first', () => {
    expect(holdsStill(proof, minute, (pod) => pod !== 'list-b')).toBe(false);
    expect(holdsStill(null, minute, alive)).toBe(false);
  });
});
