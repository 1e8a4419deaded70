import { expect, test } from 'vitest';
import { Health } from './health.ts';

test('a pod with no checks is ready', () => {
  expect(new Health().readiness()).toEqual({ ready: true, checks: {} });
});

test('one failed check makes it unready and says why; the same check can recover', () => {
  const health = new Health();
  health.set('nats', true);
  health.set('directory:db', false, 'waiting');
  expect(health.readiness().ready).toBe(false);
  expect(health.readiness().checks['directory:db']).toEqual({ ok: false, detail: 'waiting' });
  health.set('directory:db', true);
  expect(health.readiness().ready).toBe(true);
});
