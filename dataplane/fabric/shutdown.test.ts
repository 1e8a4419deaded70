import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Shutdown } from './shutdown.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const silent = pino({ level: 'silent' });

test('steps run in reverse order, once, even when one fails', async () => {
  const order: string[] = [];
  const shutdown = new Shutdown(silent);
  shutdown.add('first', async () => void order.push('first'));
  shutdown.add('broken', async () => {
    throw new Error('broken');
  });
  shutdown.add('last', async () => void order.push('last'));
  await Promise.all([shutdown.run(), shutdown.run()]);
  expect(order).toEqual(['last', 'first']);
});

test('a step that hangs is left behind after 5 s', async () => {
  const order: string[] = [];
  const shutdown = new Shutdown(silent);
  shutdown.add('first', async () => void order.push('first'));
  shutdown.add('hangs', () => new Promise(() => {}));
  const done = shutdown.run();
  await vi.advanceTimersByTimeAsync(4_900);
  expect(order).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  await done;
  expect(order).toEqual(['first']);
});
