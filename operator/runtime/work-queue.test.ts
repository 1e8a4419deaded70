import { describe, expect, test } from 'vitest';
import { type Arbitrary, array, assert, asyncProperty, constantFrom, integer, nat, oneof, tuple } from 'fast-check';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { runtimeMetrics } from './metrics.ts';
import { type Work, WorkQueue } from './work-queue.ts';

const setup = (options: { backOff?: { minMs: number; maxMs: number } } = {}) => {
  const clock = fakeClock();
  const queue = new WorkQueue({ name: 'test', metrics: runtimeMetrics(), clock, random: () => 1, ...options });
  return { clock, queue };
};

/** Takes all that is ready, without giving anything back. */
const drain = async (queue: WorkQueue): Promise<string[]> => {
  const keys: string[] = [];
  while (queue.ready > 0) keys.push(((await queue.take()) as Work).key);
  return keys;
};

describe('what waits', () => {
  test('a key added many times is handed out once', async () => {
    const { queue } = setup();
    for (let i = 0; i < 5; i += 1) queue.add('a');
    queue.add('b');
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('equal priorities go first come, first served; higher ones before', async () => {
    const { queue } = setup();
    queue.add('low', { priority: -100 });
    queue.add('one');
    queue.add('two');
    queue.add('high', { priority: 5 });
    expect(await drain(queue)).toEqual(['high', 'one', 'two', 'low']);
  });

  test('adding again raises the priority and never lowers it', async () => {
    const { queue } = setup();
    queue.add('a', { priority: -100 });
    queue.add('b', { priority: -50 });
    queue.add('a', { priority: 1 });
    queue.add('a', { priority: -100 });
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('a delayed key comes when its time has come, not before', async () => {
    const { queue, clock } = setup();
    queue.add('a', { afterMs: 1000 });
    await clock.advance(999);
    expect(queue.ready).toBe(0);
    await clock.advance(2);
    expect(await drain(queue)).toEqual(['a']);
  });

  test('the earlier of two times counts', async () => {
    const { queue, clock } = setup();
    queue.add('a', { afterMs: 5000 });
    queue.add('a', { afterMs: 100 });
    queue.add('a', { afterMs: 9000 });
    await clock.advance(102);
    expect(await drain(queue)).toEqual(['a']);
    await clock.advance(20_000);
    expect(queue.ready).toBe(0);
  });

  test('an add without delay does not wait for a delayed one', async () => {
    const { queue } = setup();
    queue.add('a', { afterMs: 5000 });
    queue.add('a');
    expect(await drain(queue)).toEqual(['a']);
    expect(queue.delayed).toBe(0);
  });
});

describe('what is being worked on', () => {
  test('a key is never handed out twice at once; added meanwhile it comes after done', async () => {
    const { queue } = setup();
    queue.add('a');
    expect((await queue.take())?.key).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.ready).toBe(0);
    queue.done('a');
    expect(await drain(queue)).toEqual(['a']);
  });

  test('a delayed key whose time comes during work waits for done', async () => {
    const { queue, clock } = setup();
    queue.add('a');
    await queue.take();
    queue.add('a', { afterMs: 10 });
    await clock.advance(20);
    expect(queue.ready).toBe(0);
    queue.done('a');
    expect(queue.ready).toBe(1);
  });

  test('a taker that waits gets the next key', async () => {
    const { queue } = setup();
    const taken = queue.take();
    queue.add('a');
    expect(await taken).toEqual({ key: 'a', priority: 0 });
  });

  test('close ends takers and drops keys', async () => {
    const { queue } = setup();
    const taken = queue.take();
    queue.close();
    queue.add('a');
    expect(await taken).toBeUndefined();
    expect(await queue.take()).toBeUndefined();
  });
});

describe('back-off', () => {
  test('doubles per key up to its bound, and forget resets it', async () => {
    const { queue, clock } = setup({ backOff: { minMs: 100, maxMs: 350 } });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      queue.add('a', { backOff: true });
      const from = clock.now();
      while (queue.ready === 0) await clock.advance(1);
      waits.push(clock.now() - from);
      await drain(queue);
      queue.done('a');
    }
    expect(waits).toEqual([100, 200, 350, 350]);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
  });

  test('keys do not share it', () => {
    const { queue } = setup();
    queue.add('a', { backOff: true });
    queue.add('a', { backOff: true });
    expect([queue.failures('a'), queue.failures('b')]).toEqual([2, 0]);
  });
});

interface Machine {
  readonly queue: WorkQueue;
  readonly clock: FakeClock;
  /** What should wait. */
  readonly model: Map<string, { priority: number; readyAt: number }>;
  readonly working: string[];
}
type Step = (machine: Machine) => Promise<void>;

const addStep =
  ([key, priority, afterMs]: readonly [string, number, number]): Step =>
  async ({ queue, clock, model }) => {
    const readyAt = clock.now() + afterMs;
    const old = model.get(key) ?? { priority, readyAt };
    model.set(key, { priority: Math.max(old.priority, priority), readyAt: Math.min(old.readyAt, readyAt) });
    queue.add(key, { priority, afterMs });
  };

const takeStep: Step = async ({ queue, clock, model, working }) => {
  const ready = [...model].filter(([key, item]) => item.readyAt <= clock.now() && !working.includes(key));
  expect(queue.ready).toBe(ready.length);
  if (ready.length === 0) return;
  const { key } = (await queue.take()) as Work;
  expect(working).not.toContain(key);
  expect(model.get(key)?.priority).toBe(Math.max(...ready.map(([, item]) => item.priority)));
  model.delete(key);
  working.push(key);
};

const doneStep: Step = async ({ queue, working }) => {
  const key = working.shift();
  if (key !== undefined) queue.done(key);
};

test('whatever is added, no key is lost, none is handed out twice at once, and the best ready one goes first', async () => {
  const step: Arbitrary<Step> = oneof(
    tuple(constantFrom('a', 'b', 'c', 'd', 'e'), integer({ min: -2, max: 2 }), nat(30)).map(addStep),
    constantFrom(takeStep, doneStep),
    nat(20).map(
      (ms): Step =>
        ({ clock }) =>
          clock.advance(ms),
    ),
  );
  await assert(
    asyncProperty(array(step, { maxLength: 80 }), async (steps) => {
      const machine = { ...setup(), model: new Map(), working: [] };
      for (const run of steps) await run(machine);
    }),
    { numRuns: 300 },
  );
});
