/**
 * One shard with much data: how fast it is filled, opened, scanned and rebuilt, and how much memory a member takes. GB are
 * 10^9 bytes of keys and values.
 *
 *     node bench/db/large.ts [--gigabytes 10] [--value 4000] [--members 2]
 *
 * Needs three times as much disk as there is data and one time for each further member.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDbCluster, type DbCluster, type RoleProcess } from '../../dataplane/db/testing/cluster.ts';
import { rawClient, type RawClient } from '../../dataplane/db/testing/raw-client.ts';
import { until } from '../../local/processes/until.ts';

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '10' },
    value: { type: 'string', default: '4000' },
    members: { type: 'string', default: '2' },
  },
});
const shard = 'app-0';
const valueBytes = Number(options.value);
const bytes = Number(options.gigabytes) * 1e9;
const keys = Math.floor(bytes / valueBytes);

const row = (what: string, ms: number, more = ''): void =>
  console.log(`| ${what} | ${(ms / 1000).toFixed(1)} s | ${(bytes / 1e3 / ms).toFixed(0)} MB/s | ${more} |`);

/** Resident memory of a process, MB: its own, and pages of files (the store is mapped, they count while there is room). */
const memory = ({ child }: RoleProcess): { readonly own: number; readonly mapped: number } => {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000;
  return { own: field('RssAnon'), mapped: field('RssFile') };
};

const tellMemory = (cluster: DbCluster, when: string): void => {
  for (const member of cluster.members.get(shard) ?? []) {
    const { own, mapped } = memory(member);
    const of = ((own * 1e8) / bytes).toFixed(1);
    console.log(
      `memory of ${member.pod} ${when}: ${own.toFixed(0)} MB (${of} % of the data), mapped ${mapped.toFixed(0)} MB`,
    );
  }
};

const keyOf = (number: number): string => `key:${String(number).padStart(10, '0')}`;

const coprime = (from: number): number => {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  return divisor(from, keys) === 1 ? from : coprime(from + 1);
};
const stride = coprime(Math.floor(keys * 0.618));
/** Each key once, spread over the whole range, as those of users are. */
const scattered = (number: number): number => (number * stride) % keys;

interface Filling {
  /** Longest time that a command took, ms. */
  slowest: number;
  /** Commands whose outcome was not known, or that were refused for now: they were sent again. */
  repeated: number;
}

/** Eight clients write all keys, half a megabyte with a command. */
const fill = async (connect: () => Promise<RawClient>): Promise<Filling> => {
  const [perCommand, connections] = [Math.max(1, Math.floor(500_000 / valueBytes)), 8];
  const noise = randomBytes(1_000_000 + valueBytes);
  const filling: Filling = { slowest: 0, repeated: 0 };
  let next = 0;
  const writer = async (): Promise<void> => {
    const client = await connect();
    for (let from = next; from < keys; from = next) {
      next = Math.min(keys, from + perCommand);
      const pairs = Array.from({ length: next - from }, (_, i) => {
        const at = ((from + i) * 4_099) % 1_000_000;
        return [keyOf(scattered(from + i)), noise.subarray(at, at + valueBytes)];
      }).flat();
      const began = performance.now();
      while ((await client.command('MSET', ...pairs)) !== 'OK') {
        filling.repeated++;
        await sleep(50);
      }
      filling.slowest = Math.max(filling.slowest, performance.now() - began);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, writer));
  return filling;
};

/** Reads all keys and values in order; answers how many. */
const scan = async (client: RawClient): Promise<number> => {
  for (let [count, start] = [0, '']; ;) {
    const rows = (await client.command('QRANGE', start, '', 'LIMIT', '500')) as [Buffer, Buffer][];
    const last = rows.at(-1);
    if (last === undefined) return count;
    count += rows.length;
    start = `${String(last[0])}\0`;
  }
};

/** Until a process that was started after `since` follows the log. */
const following = (cluster: DbCluster, { pod }: RoleProcess, since: number): Promise<true> =>
  until({ what: `${pod} to follow its log`, timeoutMs: 3_600_000, everyMs: 20 }, () => {
    const received = cluster.beats.get(pod);
    const replica = received?.beat.replica;
    const caughtUp = replica?.state === 'following' && replica.tail - replica.applied < 1_000;
    return received !== undefined && received.receivedAt > since && caughtUp ? true : undefined;
  });

/** Writes a key every 10 ms while something goes on; answers the longest time that a write took, ms. */
const slowestWrite = async (client: RawClient, meanwhile: Promise<unknown>): Promise<number> => {
  const over = new AbortController();
  void meanwhile.finally(() => over.abort());
  let slowest = 0;
  while (!over.signal.aborted) {
    const began = performance.now();
    await client.command('SET', keyOf(0), 'written meanwhile');
    slowest = Math.max(slowest, performance.now() - began);
    await sleep(10);
  }
  return slowest;
};

const timed = async <T>(work: Promise<T>): Promise<[number, T]> => {
  const began = performance.now();
  const result = await work;
  return [performance.now() - began, result];
};

const dir = mkdtempSync(join(tmpdir(), 'quartet-bench-large-'));
const cluster = await startDbCluster({ dir, members: Number(options.members) });
try {
  console.log(`${keys} keys, values of ${valueBytes} bytes, ${options.members} members, one nats-server`);
  console.log('| | time | rate | |\n|---|---|---|---|');
  const [fillMs, { slowest: slowestFill, repeated }] = await timed(fill(() => rawClient(cluster.port)));
  row('fill, 8 clients', fillMs, `slowest command ${slowestFill.toFixed(0)} ms, ${repeated} repeated`);
  tellMemory(cluster, 'after it was filled');
  const client = await rawClient(cluster.port);
  const size = await client.command('DBSIZE');
  if (size !== keys) throw new Error(`there are ${String(size)} keys, not ${keys}`);
  row('scan by QRANGE, 1 client', (await timed(scan(client)))[0]);
  const follower = cluster.members.get(shard)?.at(-1);
  if (follower === undefined) throw new Error('there is no follower: ask for two members');
  const restarted = async (prepare: () => void): Promise<void> => {
    await follower.kill();
    prepare();
    const since = performance.now();
    follower.restart();
    await following(cluster, follower, since);
  };
  row('open: a killed member follows again', (await timed(restarted(() => {})))[0]);
  const rebuilt = restarted(() => rmSync(join(dir, follower.pod), { recursive: true }));
  const [rebuildMs, slowest] = await timed(slowestWrite(client, rebuilt));
  row('rebuild: its store was lost', rebuildMs, `slowest write meanwhile ${slowest.toFixed(0)} ms`);
  tellMemory(cluster, 'after the rebuild');
  client.close();
} finally {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
}
