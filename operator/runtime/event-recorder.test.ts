import pino from 'pino';
import { describe, expect, test } from 'vitest';
import type { KubeClient } from './client.ts';
import { QueuedEventRecorder } from './event-recorder.ts';
import { fakeClock } from './fake-clock.ts';
import { KubeError } from './kube-error.ts';
import { runtimeMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

const regarding: KubeObject = { apiVersion: 'x/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'n', uid: 'u' } };
const note = { type: 'Warning', reason: 'Broken', note: 'it broke' } as const;

const setup = (failure?: () => KubeError | undefined) => {
  const created: (KubeObject & { readonly note: string; readonly regarding: object })[] = [];
  const counts: number[] = [];
  const fail = (): void => {
    const error = failure?.();
    if (error !== undefined) throw error;
  };
  const client = {
    create: async (_: unknown, event: (typeof created)[number]) => {
      fail();
      created.push(event);
    },
    merge: async (...[, , patch]: [unknown, unknown, { series: { count: number } }]) => {
      fail();
      counts.push(patch.series.count);
    },
  } as unknown as KubeClient;
  const clock = fakeClock();
  const log = pino({ level: 'silent' });
  const recorder = new QueuedEventRecorder({
    client,
    log,
    metrics: runtimeMetrics(),
    controller: 'c',
    instance: 'i',
    clock,
  });
  return { recorder, created, counts, clock };
};

describe('events', () => {
  test('name the object and keep within the limits of the API', async () => {
    const { recorder, created } = setup();
    recorder.record(regarding, { ...note, note: 'é'.repeat(2_000) });
    await recorder.flush();
    expect(created[0]).toMatchObject({
      metadata: { namespace: 'n' },
      action: 'Broken',
      regarding: { kind: 'Thing', name: 'a', uid: 'u' },
    });
    expect(Buffer.byteLength(created[0]?.note ?? '')).toBeLessThanOrEqual(1_024);
  });

  test('a repeat is counted, not written again; the count is written at powers of two, as it is then', async () => {
    const { recorder, created, counts } = setup();
    const repeat = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) recorder.record(regarding, note);
      await recorder.flush();
    };
    for (const times of [1, 1, 1, 1, 1, 20]) await repeat(times);
    expect([created.length, counts]).toEqual([1, [2, 4, 8, 25]]);
  });

  test('after six quiet minutes a repeat is a new event', async () => {
    const { recorder, created, clock } = setup();
    recorder.record(regarding, note);
    await clock.advance(6 * 60_000 + 1);
    recorder.record(regarding, note);
    await recorder.flush();
    expect(created.length).toBe(2);
  });

  test('a flood about one object is held back, other objects are not', async () => {
    const { recorder, created } = setup();
    for (let i = 0; i < 100; i += 1) recorder.record(regarding, { ...note, note: `number ${i}` });
    recorder.record({ ...regarding, metadata: { ...regarding.metadata, uid: 'other' } }, note);
    await recorder.flush();
    expect(created.length).toBe(26);
  });

  test('a server in trouble costs events and nothing else; a series whose event is gone starts anew', async () => {
    let error: KubeError | undefined = new KubeError('unavailable', 'down');
    const { recorder, created } = setup(() => error);
    recorder.record(regarding, { ...note, note: 'lost' });
    await recorder.flush();
    error = undefined;
    recorder.record(regarding, note);
    await recorder.flush();
    error = new KubeError('not-found', 'expired');
    recorder.record(regarding, note);
    await recorder.flush();
    error = undefined;
    recorder.record(regarding, note);
    await recorder.flush();
    expect(created.map((event) => event.note)).toEqual(['it broke', 'it broke']);
  });
});
