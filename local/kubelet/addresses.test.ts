import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPlan } from './addresses.ts';

describe('addresses of pods', () => {
  it('gives each pod another one', () => {
    const pods = addressPlan(100).pods();
    const taken = Array.from({ length: 600 }, () => pods.take());
    expect(new Set(taken).size).toBe(600);
    expect(taken[0]).toBe('127.100.32.1');
    expect(taken.some((address) => /\.(0|255)$/.test(address))).toBe(false);
  });

  it('gives a pod its old address again if that is free', () => {
    const pods = addressPlan(100).pods();
    expect(pods.take('127.100.40.7')).toBe('127.100.40.7');
    expect(pods.take('127.100.40.7')).toBe('127.100.32.1');
    pods.release('127.100.40.7');
    expect(pods.take('127.100.40.7')).toBe('127.100.40.7');
  });

  it.each(['127.101.40.7', '127.100.16.1', '127.100.0.10', '10.0.0.1'])(
    'does not take %s, which is not for pods',
    (a) => {
      expect(addressPlan(100).pods().take(a)).toBe('127.100.32.1');
    },
  );

  it('never has an address twice, whatever is released', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 20 }))), (steps) => {
        const pods = addressPlan(7).pods();
        const held: string[] = [];
        for (const step of steps) {
          if (step === null || held.length === 0) {
            const address = pods.take(held[0]);
            expect(held).not.toContain(address);
            held.push(address);
          } else {
            const [address] = held.splice(step % held.length, 1);
            if (address !== undefined) pods.release(address);
          }
        }
      }),
    );
  });
});
