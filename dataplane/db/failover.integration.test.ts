import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../local/processes/until.ts';
import { startDbCluster, type DbCluster } from './testing/cluster.ts';
import { plain, rawClient } from './testing/raw-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'quartet-db-failover-'));
let cluster: DbCluster;

beforeAll(async () => {
  cluster = await startDbCluster({ dir, members: 3 });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What clients that number their writes know. */
interface Numbered {
  /** Highest number of each key that was acknowledged. */
  readonly acknowledged: Map<string, number>;
  /** Numbers whose outcome is unknown, by key. */
  readonly unknown: Map<string, number[]>;
  /** Other errors. */
  readonly errors: string[];
  /** Times of acknowledgements, milliseconds. */
  readonly times: number[];
}

/** A client that writes numbers to one key, each after the last is answered, until it is told to stop. */
const numberingClient = async (key: string, into: Numbered, signal: AbortSignal): Promise<void> => {
  const client = await rawClient(cluster.port);
  for (let n = 1; !signal.aborted; n++) {
    const reply = plain(await client.command('SET', key, String(n)));
    if (reply === 'OK') {
      into.acknowledged.set(key, n);
      into.times.push(performance.now());
    } else if (String(reply).startsWith('-UNKNOWN')) into.unknown.set(key, [...(into.unknown.get(key) ?? []), n]);
    else into.errors.push(String(reply));
  }
  client.close();
};

/** Runs clients while `disturb` runs, and for a second more. */
const underLoad = async (clients: number, disturb: () => Promise<void>): Promise<Numbered> => {
  const numbered: Numbered = { acknowledged: new Map(), unknown: new Map(), errors: [], times: [] };
  const stop = new AbortController();
  const prefix = `k${Math.random().toString(36).slice(2)}:`;
  const all = Array.from({ length: clients }, (_, i) => numberingClient(`${prefix}${i}`, numbered, stop.signal));
  await until({ what: 'the first writes', timeoutMs: 20_000 }, () => (numbered.times.length > 100 ? true : undefined));
  await disturb();
  const mark = performance.now();
  const resumed = (): true | undefined =>
    numbered.times.filter((time) => time > mark).length > 100 ? true : undefined;
  await until({ what: 'writes to go on', timeoutMs: 30_000 }, resumed);
  stop.abort();
  await Promise.all(all);
  return numbered;
};

/** Every key holds the last number that was acknowledged, or a later one whose outcome is unknown. */
const expectNothingLost = async ({ acknowledged, unknown }: Numbered): Promise<void> => {
  const client = await rawClient(cluster.port);
  for (const [key, n] of acknowledged) {
    const value = Number(plain(await client.command('GET', key)));
    const allowed = [n, ...(unknown.get(key) ?? []).filter((other) => other > n)];
    expect(allowed, `${key} was acknowledged as ${n}`).toContain(value);
  }
  client.close();
};

const longestGap = (times: readonly number[]): number =>
  times.reduce((longest, time, i) => Math.max(longest, i === 0 ? 0 : time - (times[i - 1] ?? time)), 0);

test('a primary that is killed under load loses no acknowledged write, and writes resume within 5 s', async () => {
  const old = await cluster.primary('app-0');
  const term = cluster.report(old.pod)?.term ?? 0;
  const numbered = await underLoad(32, async () => {
    await old.kill();
    // The operator's part: it notices the silence and asks another member.
    await until({ what: 'silence', timeoutMs: 5_000 }, () => (cluster.beats.alive(old.pod, 1_000) ? undefined : true));
    const next = cluster.members.get('app-0')?.find(({ child }) => child.exit === undefined);
    await cluster.promote(next?.pod ?? '', term + 1);
  });
  expect(numbered.errors).toEqual([]);
  expect(longestGap(numbered.times)).toBeLessThan(5_000);
  await expectNothingLost(numbered);
  expect((await cluster.primary('app-0')).pod).not.toBe(old.pod);
  old.restart();
  const follows = (): true | undefined => (cluster.report(old.pod)?.state === 'following' ? true : undefined);
  await until({ what: 'the old primary to follow', timeoutMs: 20_000 }, follows);
  const caughtUp = async (): Promise<true | undefined> => {
    const { applied = 0 } = cluster.report((await cluster.primary('app-0')).pod) ?? {};
    return (cluster.report(old.pod)?.applied ?? -1) >= applied ? true : undefined;
  };
  await until({ what: 'the old primary to catch up', timeoutMs: 20_000 }, caughtUp);
});

test('a planned switchover under load fails no write', async () => {
  const old = await cluster.primary('app-0');
  const term = cluster.report(old.pod)?.term ?? 0;
  const numbered = await underLoad(16, async () => {
    const next = cluster.members.get('app-0')?.find(({ pod, child }) => pod !== old.pod && child.exit === undefined);
    await cluster.control(old.pod, { type: 'step-down' });
    await cluster.promote(next?.pod ?? '', term + 1);
  });
  expect(numbered.errors).toEqual([]);
  expect(numbered.unknown.size).toBe(0);
  await expectNothingLost(numbered);
});

test('a primary that is paused and resumed acknowledges nothing that is lost', async () => {
  const old = await cluster.primary('app-0');
  const term = cluster.report(old.pod)?.term ?? 0;
  const numbered = await underLoad(16, async () => {
    old.child.kill('SIGSTOP');
    await until({ what: 'silence', timeoutMs: 5_000 }, () => (cluster.beats.alive(old.pod, 1_000) ? undefined : true));
    const next = cluster.members.get('app-0')?.find(({ pod, child }) => pod !== old.pod && child.exit === undefined);
    await cluster.promote(next?.pod ?? '', term + 1);
    old.child.kill('SIGCONT');
  });
  await expectNothingLost(numbered);
});

test('a member that lost its disk comes back with everything and can lead', async () => {
  const primary = await cluster.primary('app-0');
  const client = await rawClient(cluster.port);
  expect(plain(await client.command('SET', 'precious', '1', 'EX', '1000'))).toBe('OK');
  const lost = cluster.members.get('app-0')?.find(({ pod }) => pod !== primary.pod);
  if (!lost) throw new Error('there is one member only');
  await lost.kill();
  rmSync(join(dir, lost.pod), { recursive: true });
  lost.restart();
  const caughtUp = (): true | undefined =>
    cluster.beats.alive(lost.pod, 500) &&
    cluster.report(lost.pod)?.state === 'following' &&
    (cluster.report(lost.pod)?.applied ?? 0) >= (cluster.report(primary.pod)?.applied ?? Infinity)
      ? true
      : undefined;
  await until({ what: 'the member to catch up', timeoutMs: 30_000 }, caughtUp);
  await cluster.promote(lost.pod, (cluster.report(primary.pod)?.term ?? 0) + 1);
  expect(plain(await client.command('GET', 'precious'))).toBe('1');
  expect(plain(await client.command('TTL', 'precious'))).toBeGreaterThan(900);
  client.close();
});

test('a killed nats-server that comes back loses no acknowledged write', async () => {
  const numbered = await underLoad(16, async () => {
    const [server] = cluster.nats.servers;
    server?.kill('SIGKILL');
    await server?.exited;
    await server?.start();
  });
  await expectNothingLost(numbered);
});

test('a killed gateway that comes back serves as before', async () => {
  const [gateway] = cluster.gateways;
  const client = await rawClient(cluster.port);
  expect(await client.command('SET', 'kept', '1')).toBe('OK');
  await gateway?.kill();
  gateway?.restart();
  const value = await until({ what: 'the gateway', timeoutMs: 20_000 }, async () => {
    const again = await rawClient(cluster.port);
    return plain(await again.command('GET', 'kept'));
  });
  expect(value).toBe('1');
});

test('a member answers on its own port, whether it leads or not', async () => {
  for (const { port } of cluster.members.get('app-0') ?? []) {
    const client = await rawClient(port);
    expect(plain(await client.command('SET', `by-${port}`, '1'))).toBe('OK');
    expect(plain(await client.command('GET', `by-${port}`))).toBe('1');
    client.close();
  }
});

test('the database answers NATS requests', async () => {
  const ask = async (body: unknown, database = 'app'): Promise<unknown> => {
    const subject = `quartet.test.database.${database}`;
    return (await cluster.operator.nats.request(subject, JSON.stringify(body), { timeout: 5_000 })).json();
  };
  expect(
    await ask({
      commands: [
        ['SET', 'n', 1],
        ['GET', 'n'],
      ],
      atomic: true,
    }),
  ).toMatchObject({ results: ['OK', '1'], shard: 'app-0' });
  const { sequence } = (await ask({
    commands: [
      ['INCR', 'n'],
      ['GET', 'missing'],
    ],
  })) as { sequence: number };
  expect(sequence).toBeGreaterThan(0);
  expect(
    await ask({
      commands: [
        ['SET', 'b', { base64: '/w==' }],
        ['GET', 'b'],
      ],
    }),
  ).toMatchObject({ results: ['OK', { base64: '/w==' }] });
  expect(await ask({ commands: [['FOO']] })).toEqual({ error: "ERR unknown command 'FOO'" });
  expect(await ask({ commands: 1 })).toMatchObject({ error: expect.stringMatching(/^ERR malformed request/) });
  expect(await ask({ commands: [['GET', 'a']] }, 'nope')).toEqual({ error: 'CLUSTERDOWN there is no database nope' });
});
