import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimingWheel } from './timing-wheel.ts';

describe('a timing wheel', () => {
  it('rings each alarm once, in its second, unless it was cancelled', () => {
    const alarms = fc.array(
      fc.record({ setAt: fc.nat(100), seconds: fc.integer({ min: 1, max: 300 }), cancelled: fc.boolean() }),
    );
    fc.assert(
      fc.property(alarms, fc.integer({ min: 1, max: 70 }), (wanted, slots) => {
        const wheel = new TimingWheel(slots);
        const rang: [index: number, at: number][] = [];
        let now = 0;
        const pending = new Map<number, { cancel(): void }>();
        for (; now <= 400; now++) {
          wanted.forEach(({ setAt, seconds }, index) => {
            if (setAt === now)
              pending.set(
                index,
                wheel.set(seconds, () => rang.push([index, now + 1])),
              );
          });
          wanted.forEach(({ setAt, cancelled }, index) => {
            if (cancelled && setAt === now) pending.get(index)?.cancel();
          });
          wheel.tick();
        }
        const expected = wanted.flatMap(({ setAt, seconds, cancelled }, index) =>
          cancelled ? [] : [[index, setAt + seconds]],
        );
        expect(rang.toSorted((a, b) => a[0] - b[0])).toEqual(expected);
        expect(wheel.size).toBe(0);
      }),
    );
  });

  it('lets an alarm set another', () => {
    const wheel = new TimingWheel(4);
    let rings = 0;
    const again = (): void => {
      rings++;
      wheel.set(4, again);
    };
    wheel.set(4, again);
    for (let i = 0; i < 40; i++) wheel.tick();
    expect(rings).toBe(10);
  });
});
