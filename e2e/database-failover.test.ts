import { expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { DatabaseWriter } from './workloads/database-writer.ts';

const quartet = runningQuartet();

test('kill -9 of a primary under load loses no acknowledged write, and writes resume within 5 s', async () => {
  await quartet.settled();
  const before = await quartet.status('dbshards', 'app-a');
  const writer = new DatabaseWriter(quartet.endpoints.host, quartet.endpoints.database);
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(500), 20_000, 20);
  writer.outage.reset();
  await quartet.quartet('kill', 'pod', before.primary ?? '');
  const atKill = writer.acknowledged;
  await eventually(async () => {
    const after = await quartet.status('dbshards', 'app-a');
    expect(after.primary).toBeTruthy();
    expect(after.primary).not.toBe(before.primary);
    expect(after.term).toBeGreaterThan(before.term ?? 0);
  }, 15_000);
  await eventually(async () => expect(writer.acknowledged).toBeGreaterThan(atKill + 1000), 20_000, 20);
  const outageMs = writer.outage.longestMs;
  const report = await writer.finish();
  process.stdout.write(`primary killed: ${JSON.stringify({ ...report, outageMs })}\n`);
  expect(report.lost).toEqual([]);
  expect(outageMs).toBeLessThan(5_000);
  await quartet.settled();
});
