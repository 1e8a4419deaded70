import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Pod } from '../../fabric/pod.ts';
import { straysNote } from '../store/key-range.ts';
import { SplitMetrics } from './metrics.ts';
import type { Phase } from './worker.ts';

test('figures say how far a split is, what it wrote, and how long each phase took', async () => {
  const registry = new Registry();
  const notes = new Map<string, Buffer>();
  let phase: Phase = 'snapshot';
  const metrics = new SplitMetrics({ metrics: registry } as Pod, { phase: () => phase, store: { notes } });
  const shown = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(await shown()).toEqual(
    expect.arrayContaining([
      'quartet_db_intake_phase{phase="snapshot"} 1',
      'quartet_db_intake_phase{phase="none"} 0',
      'quartet_db_strays 0',
    ]),
  );
  metrics.written(1_000);
  metrics.written(500);
  metrics.phase('none', 9_000);
  metrics.phase('snapshot', 2_500);
  phase = 'none';
  notes.set(straysNote, Buffer.alloc(0));
  expect(await shown()).toEqual(
    expect.arrayContaining([
      'quartet_db_intake_bytes_total 1500',
      'quartet_db_intake_seconds_total{phase="snapshot"} 2.5',
      'quartet_db_intake_phase{phase="snapshot"} 0',
      'quartet_db_intake_phase{phase="none"} 1',
      'quartet_db_strays 1',
    ]),
  );
});
