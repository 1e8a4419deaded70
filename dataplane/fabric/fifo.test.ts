import * as fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('push' as const), items: fc.array(fc.integer()) }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('shift' as const), count: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('put back' as const), items: fc.array(fc.integer()) }) },
  ),
  { size: 'large' },
);

test('it does what an array would', () => {
  fc.assert(
    fc.property(steps, fc.nat(20), (all, place) => {
      const [fifo, model] = [new Fifo<number>(), [] as number[]];
      for (const step of all) {
        if (step.type === 'push') {
          for (const item of step.items) fifo.push(item);
          model.push(...step.items);
        } else if (step.type === 'shift') {
          for (let i = 0; i < step.count; i++) expect(fifo.shift()).toBe(model.shift());
        } else {
          fifo.putBack(step.items);
          model.unshift(...step.items);
        }
        expect(fifo.slice()).toEqual(model);
        expect(fifo.length).toBe(model.length);
        expect(fifo.at(place)).toBe(model[place]);
        expect(fifo.slice(place, place + 3)).toEqual(model.slice(place, place + 3));
      }
    }),
  );
});

test('a place is found in items that are in order', () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 100; i++) fifo.push(i * 2);
  for (let i = 0; i < 40; i++) fifo.shift();
  expect(fifo.lowerBound((item) => item < 100)).toBe(10);
  expect(fifo.lowerBound((item) => item < 101)).toBe(11);
  expect(fifo.lowerBound((item) => item < 0)).toBe(0);
  expect(fifo.lowerBound((item) => item < 1_000)).toBe(60);
});

test('what went out is not kept alive by a queue that is never empty', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const fifo = new Fifo<object>();
  const gone: WeakRef<object>[] = [];
  for (let i = 0; i < 100; i++) {
    const item = { i };
    if (i < 20) gone.push(new WeakRef(item));
    fifo.push(item);
  }
  for (let i = 0; i < 20; i++) fifo.shift();
  // what a WeakRef gave out lives until the turn ends
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(gone.filter((each) => each.deref() !== undefined)).toEqual([]);
  expect(fifo.length).toBe(80);
});
