/** Checks a history that was kept: `node e2e/faults/check.ts DIR/history.jsonl`. Exits 1 when something is wrong. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Operation } from './history.ts';
import { judge } from './judge.ts';
import { shownVerdicts } from './report.ts';
import { allWorkloads } from './workloads/workloads.ts';

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: node e2e/faults/check.ts DIR/history.jsonl\n');
  process.exit(2);
}
const operations: Operation[] = [];
for await (const line of createInterface({ input: createReadStream(path) })) {
  operations.push(JSON.parse(line) as Operation);
}
const judgements = await judge(allWorkloads([], 'one-shard'), operations);
process.stdout.write(`${shownVerdicts(judgements).join('\n')}\n`);
process.exit(judgements.every(({ anomalies }) => anomalies.length === 0) ? 0 : 1);
