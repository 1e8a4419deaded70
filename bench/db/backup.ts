/**
 * Backs a database of two shards up to a directory, checks the backup, and restores it into a new database; MB are 10^6
 * bytes of keys and values, the time is that of the whole program.
 *
 *     node bench/db/backup.ts [--megabytes 1000] [--value 1000]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from '../../dataplane/db/backup/testing/program.ts';
import { startDbCluster, type DbCluster } from '../../dataplane/db/testing/cluster.ts';
import { rawClient, type RawClient } from '../../dataplane/db/testing/raw-client.ts';

const { values: options } = parseArgs({
  options: { megabytes: { type: 'string', default: '1000' }, value: { type: 'string', default: '1000' } },
});
const valueBytes = Number(options.value);
const keys = Math.floor((Number(options.megabytes) * 1e6) / valueBytes);

const shardsOf = (database: string) =>
  ['', 'm'].map((start, i) => ({ name: `${database}-${i}`, start, end: i === 0 ? 'm' : '', database }));

/** Half of the values is noise, half of it compresses well. */
const valueOf = (): Buffer => {
  const value = Buffer.alloc(valueBytes, 'quartet ');
  randomBytes(valueBytes / 2).copy(value);
  return value;
};

const fill = async (client: RawClient): Promise<void> => {
  const perCommand = 500;
  for (let at = 0; at < keys; at += perCommand) {
    const prefix = (at / perCommand) % 2 === 0 ? 'a' : 'z';
    const pairs = Array.from({ length: perCommand }, (_, i) => [`${prefix}:${at + i}`, valueOf()]).flat();
    const reply = await client.command('MSET', ...pairs);
    if (reply !== 'OK') throw new Error(`the database answers ${String(reply)}`);
  }
};

const measure = async (cluster: DbCluster, what: string, args: readonly string[]): Promise<void> => {
  const began = performance.now();
  const { code, output, problems } = await runProgram([...args, '--namespace', 'test'], {
    QUARTET_NATS_URL: cluster.nats.url,
  });
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(problems);
  console.log(output);
  console.log(`| ${what} | ${seconds.toFixed(1)} s | ${((keys * valueBytes) / 1e6 / seconds).toFixed(0)} MB/s |\n`);
};

const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-'));
const cluster = await startDbCluster({ dir: join(dir, 'cluster'), shards: shardsOf('app'), members: 2 });
try {
  const client = await rawClient(cluster.port);
  await fill(client);
  client.close();
  console.log(`${keys} keys, values of ${valueBytes} bytes`);
  const place = join(dir, 'backups');
  await measure(cluster, 'backup', ['backup', 'app', '--to', place]);
  await measure(cluster, 'check', ['restore', '--from', place, '--check']);
  for (const plan of shardsOf('copy')) {
    await cluster.addShard(plan, 2);
    await cluster.makeFirstPrimary(plan.name);
  }
  await measure(cluster, 'restore', ['restore', '--from', place, '--to', 'copy', '--work', dir]);
} finally {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}
