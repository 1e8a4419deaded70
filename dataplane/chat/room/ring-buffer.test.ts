import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingBuffer } from './ring-buffer.ts';
import type { StoredPublication } from './stored-publication.ts';

const publication = (seq: number, size = 2): StoredPublication => ({ seq, time: 0, json: 'x'.repeat(size) });

/** Rising sequences with holes, as a room has them in a shared stream. */
const steps = fc.array(fc.record({ hole: fc.nat(5), size: fc.integer({ min: 1, max: 40 }) }), { maxLength: 300 });

describe('a ring buffer', () => {
  it('gives a client exactly what it misses, or says that it cannot', () => {
    fc.assert(
      fc.property(
        steps,
        fc.nat(50),
        fc.nat(2_000),
        fc.integer({ min: 1, max: 50 }),
        (added, start, position, bound) => {
          const ring = new RingBuffer(start, { messages: bound, bytes: bound * 20 });
          const model: StoredPublication[] = [];
          let seq = start;
          for (const { hole, size } of added) {
            seq += hole + 1;
            model.push(publication(seq, size));
            ring.push(publication(seq, size));
          }
          const missed = ring.after(position);
          const expected = model.filter((each) => each.seq > position);
          if (missed === null) expect(position).toBeLessThan(ring.from);
          else expect(missed.map((each) => each.seq)).toEqual(expected.map((each) => each.seq));
          expect(ring.top).toBe(seq);
          expect(ring.length).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  it('gives the last messages before a sequence when it holds that many', () => {
    fc.assert(
      fc.property(steps, fc.nat(1_500), fc.integer({ min: 1, max: 60 }), (added, before, count) => {
        const ring = new RingBuffer(0, { messages: 40, bytes: 10_000 });
        const model: StoredPublication[] = [];
        let seq = 0;
        for (const { hole, size } of added) {
          seq += hole + 1;
          model.push(publication(seq, size));
          ring.push(publication(seq, size));
        }
        const found = ring.last(before, count);
        const expected = model.filter((each) => each.seq < before).slice(-count);
        if (found !== null) expect(found.map((each) => each.seq)).toEqual(expected.map((each) => each.seq));
        else expect(model.length > 40 || expected.length < count).toBe(true);
      }),
    );
  });

  it('keeps the newest message however large it is', () => {
    const ring = new RingBuffer(0, { messages: 10, bytes: 100 });
    ring.push(publication(1));
    ring.push(publication(2, 1_000));
    expect(ring.after(1)).toHaveLength(1);
    expect(ring.after(0)).toBeNull();
  });

  it('answers a client at its position with nothing missed', () => {
    const ring = new RingBuffer(17, { messages: 10, bytes: 100 });
    expect(ring.after(17)).toEqual([]);
    expect(ring.after(16)).toBeNull();
    ring.advance(20);
    expect(ring.top).toBe(20);
  });
});
