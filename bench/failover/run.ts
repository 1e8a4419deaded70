/**
 * How long a shard takes no write when its primary fails, at a client that writes every 10 ms through the gateway:
 *
 *     ./quartet up --nats 3 --address 127.0.0.35 --state DIR
 *     node bench/failover/run.ts --state DIR --host 127.0.0.35 [--runs 20] [--faults kill,pause,cut,node,switchover,alone]
 *         [--shards app-a,app-m]
 *
 * The shards are struck in turn: blows to the same one, seconds apart, would measure the distance that its elections keep
 * (decision 11). Prints rows of a Markdown table. What was acknowledged and is not there afterwards is counted as lost. `cut` needs root.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { eventually } from '../../e2e/eventually.ts';
import { Resources } from '../../e2e/resources.ts';
import { DatabaseWriter } from '../../e2e/workloads/database-writer.ts';
import { faults, type Fault, type Subject, type Victim } from './faults.ts';

const { values: options } = parseArgs({
  options: {
    state: { type: 'string', default: '.quartet' },
    host: { type: 'string', default: '127.0.0.1' },
    runs: { type: 'string', default: '20' },
    faults: { type: 'string', default: Object.keys(faults).join(',') },
    shards: { type: 'string', default: 'app-a,app-m' },
  },
});

const root = join(import.meta.dirname, '..', '..');

const subjectAt = (stateDir: string, host: string): Subject => {
  const quartet = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(join(root, 'quartet'), ['--state', stateDir, ...args], {
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
  const endpoints = { host, edge: 8080, search: 9200, chat: 8000, database: 6379 };
  return { stateDir, quartet, resources: new Resources((...args) => quartet('kubectl', ...args), endpoints) };
};

/** The primary that leads now, and is not about to be succeeded for a better spread. */
const victimOf = async ({ resources }: Subject, shard: string): Promise<Victim> => {
  const { primary = '', term = 0 } = await eventually(async () => {
    const before = await resources.status('dbshards', shard);
    await sleep(2_000);
    const after = await resources.status('dbshards', shard);
    if (after.term !== before.term) throw new Error('the primary changes');
    return after;
  }, 60_000);
  const { node, namespace } = await resources.pod(primary);
  return { shard, pod: primary, node, namespace, term };
};

interface Outcome {
  readonly outageMs: number;
  readonly lost: number;
}

/** Nothing else may go on while a fault is measured. */
const settleMs = 180_000;
/** The client writes again when this many writes came through after the fault, without a gap. */
const enough = 200;

const writesAgain = (writer: DatabaseWriter): Promise<void> => {
  const before = writer.acknowledged;
  return eventually(
    async () => {
      if (writer.acknowledged < before + enough) throw new Error('the client does not write');
    },
    60_000,
    20,
  );
};

const once = async (subject: Subject, fault: Fault, shard: string): Promise<Outcome> => {
  await subject.resources.settled(settleMs);
  const restore = await fault.prepare?.(subject);
  const victim = await victimOf(subject, shard);
  const { host, database } = subject.resources.endpoints;
  const writer = new DatabaseWriter(host, database, { keys: 8, paceMs: 10 });
  await writesAgain(writer);
  writer.outage.reset();
  console.error(`${new Date().toISOString()} ${fault.what}: ${victim.pod} on ${victim.node}`);
  const mend = await fault.strike(subject, victim);
  if (fault.prepare === undefined) await eventually(() => ledByAnother(subject, victim), 90_000, 50);
  await eventually(() => writesWithoutGap(writer), 90_000, 50);
  const outageMs = writer.outage.longestMs;
  await mend();
  await writesAgain(writer);
  const { lost } = await writer.finish();
  await restore?.();
  for (const line of lost) console.error(`lost: ${line}`);
  return { outageMs, lost: lost.length };
};

const ledByAnother = async ({ resources }: Subject, { shard, term }: Victim): Promise<void> => {
  const { term: current = 0 } = await resources.status('dbshards', shard);
  if (current <= term) throw new Error('nobody else leads');
};

/** Both halves of the key range are written again for a while after a gap that a fault made. */
const writesWithoutGap = async (writer: DatabaseWriter): Promise<void> => {
  const longest = writer.outage.longestMs;
  await writesAgain(writer);
  if (writer.outage.longestMs !== longest) throw new Error('the outage goes on');
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

const subject = subjectAt(options.state, options.host);
const shards = options.shards.split(',');
console.log('| fault | runs | p50 s | p99 s | max s | goal p50 / p99 s | acknowledged writes lost |');
console.log('|---|---|---|---|---|---|---|');
for (const name of options.faults.split(',')) {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`--faults ${name}: there are ${Object.keys(faults).join(', ')}`);
  const outcomes: Outcome[] = [];
  for (let run = 0; run < Number(options.runs); run++) {
    outcomes.push(await once(subject, fault, shards[run % shards.length] ?? ''));
    console.error(`${name} ${run + 1}: ${seconds(outcomes.at(-1)?.outageMs ?? 0)} s`);
  }
  const sorted = outcomes.map(({ outageMs }) => outageMs).toSorted((a, b) => a - b);
  const figures = [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1) ?? 0].map(seconds).join(' | ');
  const lost = outcomes.reduce((sum, outcome) => sum + outcome.lost, 0);
  console.log(`| ${fault.what} | ${sorted.length} | ${figures} | ${fault.goal.join(' / ')} | ${lost} |`);
}
