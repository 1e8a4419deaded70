/**
 * The fault test by hand: `node e2e/faults/main.ts [--minutes 30] [--seed N] [--faults a,b] [--across] [--dir DIR]
 * [--quartet STATE]`. With `--quartet` it breaks the sample database of an embedded Quartet that is up.
 * Prints what was done and what was found. Exits 1 when a check found something, 2 when it did not come to that. The
 * directory is kept then.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RunningQuartet } from './database/running-quartet.ts';
import { OwnProcesses } from './database/own-processes.ts';
import { faultNames, type FaultName } from './nemesis/faults.ts';
import { shown } from './report.ts';
import { isGreen, run } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    across: { type: 'boolean', default: false },
    dir: { type: 'string' },
    quartet: { type: 'string' },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const wanted = values.faults?.split(',') ?? faultNames;
const unknown = wanted.filter((name) => !faultNames.includes(name as FaultName));
const { quartet } = values;
const minutes = Number(values.minutes);
if (unknown.length > 0 || !(minutes > 0)) {
  print(
    `usage: node e2e/faults/main.ts [--minutes N] [--seed TEXT] [--across] [--dir DIR] [--faults ${faultNames.join(',')}]`,
  );
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const dir = values.dir ?? mkdtempSync(join(tmpdir(), 'quartet-faults-'));
const began = performance.now();
const report = await run({
  dir,
  seed: values.seed ?? String(Date.now()),
  lengthMs: minutes * 60_000,
  faults: wanted as FaultName[],
  spread: values.across ? 'across' : 'one-shard',
  start: quartet === undefined ? OwnProcesses.start : () => RunningQuartet.connect(quartet),
  tell: (text) => print(`${Math.round((performance.now() - began) / 1000)} s: ${text}`),
}).catch((error: unknown) => {
  print(`not judged: ${error instanceof Error ? error.stack : String(error)}\neverything of this run is in ${dir}`);
  process.exit(2);
});
print(`\n${shown(report)}`);
if (isGreen(report) && values.dir === undefined) rmSync(dir, { recursive: true, force: true });
else print(`everything of this run is in ${dir}`);
process.exit(isGreen(report) ? 0 : 1);
