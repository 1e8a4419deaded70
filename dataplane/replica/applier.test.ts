import { expect, test } from 'vitest';
import { systemClock } from '../log/clock.ts';
import { encodeEntry, genesis } from '../log/entry.ts';
import { Applier } from './applier.ts';
import type { StateMachine } from './state-machine.ts';

const mebibyte = 1024 * 1024;

/** An applier whose store takes a batch only when told, and a log to offer entries from. */
const slowStore = () => {
  const takes: (() => void)[] = [];
  const applied: number[] = [];
  const machine = {
    position: () => null,
    apply: () => new Promise<void>((resolve) => takes.push(resolve)),
  } as unknown as StateMachine;
  const listener = {
    judged: () => {},
    applied: (batch: readonly { seq: number }[]) => void applied.push(...batch.map(({ seq }) => seq)),
    failed: (error: Error) => expect.fail(error.message),
  };
  const applier = new Applier({ machine, created: 'then', clock: systemClock, listener });
  const header = { kind: 'term', writer: 'm0/1', time: 1 } as const;
  let [chain, next] = [genesis, 1];
  const offer = (count: number, bytes: number): void => {
    for (let i = 0; i < count; i++) {
      const entry = encodeEntry({ ...header, term: next, previous: chain }, [new Uint8Array(bytes)]);
      chain = entry.id;
      applier.offer({ seq: next++, bytes: entry.bytes });
    }
  };
  return { applier, offer, applied, take: () => takes.shift()?.() };
};

const hasRoom = (applier: Applier): Promise<boolean> =>
  Promise.race([applier.room().then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);

test.each([
  ['many small ones', 1023, 100],
  ['some large ones', 31, mebibyte],
  ['one that is larger than the bound', 0, 40 * mebibyte],
])('what waits for a slow store is bounded, and all is applied in order: %s', async (_, fit, bytes) => {
  const { applier, offer, applied, take } = slowStore();
  offer(1, bytes); // goes to the store at once
  offer(fit, bytes);
  expect(await hasRoom(applier)).toBe(true);
  offer(1, bytes);
  expect(await hasRoom(applier)).toBe(false);
  const all = fit + 2;
  while (applied.length < all) {
    take();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await hasRoom(applier)).toBe(true);
  expect(applied).toEqual(Array.from({ length: all }, (__, i) => i + 1));
});

test('who waits for room goes on when it stops', async () => {
  const { applier, offer, take } = slowStore();
  offer(40, mebibyte);
  const waits = applier.room();
  take();
  await applier.stop();
  await waits;
});
