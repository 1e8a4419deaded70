import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OwnProcesses } from './database/own-processes.ts';
import { faultNames } from './nemesis/faults.ts';
import { shown } from './report.ts';
import { isGreen, run } from './run.ts';

/** Minutes and seed can be given: `QUARTET_FAULTS_MINUTES`, `QUARTET_FAULTS_SEED`. */
const minutes = Number(process.env['QUARTET_FAULTS_MINUTES'] ?? 3);
const seed = process.env['QUARTET_FAULTS_SEED'] ?? String(Date.now());

test(
  'clients see nothing that a serializable database could not show, whatever fails',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'quartet-faults-'));
    const print = (text: string): void => void process.stdout.write(`${text}\n`);
    const options = {
      dir,
      seed,
      lengthMs: minutes * 60_000,
      faults: faultNames,
      spread: 'one-shard',
      start: OwnProcesses.start,
      tell: print,
    } as const;
    const report = await run(options);
    print(shown(report));
    for (const { workload, anomalies, ok } of report.judgements) {
      expect(anomalies, `${workload}, seed ${seed}, all in ${dir}`).toEqual([]);
      expect(ok, `${workload} did something`).toBeGreaterThan(100);
    }
    expect(isGreen(report)).toBe(true);
    rmSync(dir, { recursive: true, force: true });
  },
  minutes * 60_000 + 360_000,
);
