import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logStreamConfig } from '../../contract/streams.ts';
import { liveSubject, logStream, logSubject } from '../../contract/subjects.ts';
import { startNats, type Nats, type NatsServer } from '../../local/nats-server.ts';
import { encodeEntry, genesis, peekId, type EncodedEntry } from './entry.ts';
import { JetStreamLog } from './jetstream-log.ts';

// Whatever happens to the three servers of a log, an append's outcome is what a reader finds at its place.

let dir: string;
let cluster: Nats;
let nats: NatsConnection;
let manager: JetStreamManager;
let made = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-jetstream-cluster-'));
  cluster = await startNats({ dir, servers: 3 });
  await cluster.ready();
  nats = await connect({ servers: cluster.url.split(','), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  manager = await jetstreamManager(nats, { checkAPI: false, timeout: 30_000 });
}, 120_000);

afterAll(async () => {
  await nats.close();
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

type Add = Parameters<JetStreamManager['streams']['add']>[0];

interface TestLog {
  readonly log: JetStreamLog;
  readonly stream: string;
  readonly config: Add;
}

async function openLog(over: object = {}): Promise<TestLog> {
  const set = { kind: 'db', namespace: 'test', name: `cluster${++made}` } as const;
  const config = { ...logStreamConfig(set, 3), ...over } as unknown as Add;
  await manager.streams.add(config);
  const stream = logStream(set);
  return {
    log: new JetStreamLog({ nats, stream, subject: logSubject(set), liveSubject: liveSubject(set) }),
    stream,
    config,
  };
}

const entry = (number: number, bytes = 10): EncodedEntry =>
  encodeEntry({ kind: 'data', term: 1, writer: 'w', time: number, previous: genesis }, [new Uint8Array(bytes)]);

const leader = async (stream: string): Promise<NatsServer> => {
  const { cluster: facts } = await manager.streams.info(stream);
  const found = cluster.servers.find(({ name }) => name === facts?.leader);
  if (found === undefined) throw new Error(`nobody leads ${stream}`);
  return found;
};

/** Appends entries one after the other; calls `at` before each. Answers the ids that were acknowledged, in order. */
async function fill(log: JetStreamLog, count: number, at: (number: number) => void = () => {}): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    at(number);
    const next = entry(number);
    expect(await log.append(number, next, 60_000)).toEqual({ outcome: 'appended', seq: number + 1 });
    ids.push(next.id);
  }
  return ids;
}

async function contents(log: JetStreamLog, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const found = await log.read(ids.length + 1, { entries: 100, bytes: 1e7 });
    ids.push(...found.map(({ bytes }) => peekId(bytes) ?? ''));
  }
  return ids;
}

const repeat = { timeout: 120_000 } as const;

describe('a log on three servers', () => {
  test(
    'its leader moves while entries are appended: each is there once, at the place that was answered',
    repeat,
    async () => {
      const { log, stream } = await openLog();
      const moves: Promise<unknown>[] = [];
      const move = (number: number): void => {
        if (number % 40 !== 20) return;
        moves.push(nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 10_000 }));
      };
      const ids = await fill(log, 120, move);
      await Promise.all(moves);
      expect(moves.length).toBeGreaterThanOrEqual(3);
      expect(await contents(log, 120)).toEqual(ids);
      expect((await log.extent()).last).toBe(120);
    },
  );

  test('the server that leads it is killed under an append: the outcome is what is in the log', repeat, async () => {
    const { log, stream } = await openLog();
    const victim = await leader(stream);
    const kill = (number: number): void => {
      if (number === 50) setImmediate(() => victim.kill('SIGKILL'));
    };
    const ids = await fill(log, 100, kill);
    expect(await contents(log, 100)).toEqual(ids);
    await victim.start();
    await cluster.ready();
  });

  test(
    'several appends are under way when the leader is killed: none is answered for a place that another has',
    repeat,
    async () => {
      const { log, stream } = await openLog();
      const victim = await leader(stream);
      const entries = Array.from({ length: 200 }, (_, number) => entry(number));
      setImmediate(() => victim.kill('SIGKILL'));
      const outcomes = await Promise.all(entries.map((each, number) => log.append(number, each, 60_000)));
      await victim.start();
      await cluster.ready();
      const { last } = await log.extent();
      const found = last === 0 ? [] : await contents(log, last);
      for (const [number, { outcome }] of outcomes.entries()) {
        if (outcome === 'appended') expect(found[number]).toBe(entries[number]?.id);
        else expect(found[number]).not.toBe(entries[number]?.id);
      }
    },
  );

  test('all servers restart during an append: it is stored once, when they are back', repeat, async () => {
    const { log } = await openLog();
    const ids = await fill(log, 10);
    for (const server of cluster.servers) server.kill('SIGKILL');
    const last = entry(10);
    const appending = log.append(10, last, 90_000);
    await Promise.all(cluster.servers.map((server) => server.exited));
    await Promise.all(cluster.servers.map((server) => server.start()));
    expect(await appending).toEqual({ outcome: 'appended', seq: 11 });
    expect(await contents(log, 11)).toEqual([...ids, last.id]);
    await cluster.ready();
  });

  test(
    'a full stream refuses, what it refused is not in it, and after a trim it takes entries again',
    repeat,
    async () => {
      const { log } = await openLog({ max_bytes: 100_000 });
      let seq = 0;
      let outcome = await log.append(seq, entry(seq, 10_000), 10_000);
      while (outcome.outcome === 'appended') outcome = await log.append(++seq, entry(seq, 10_000), 10_000);
      expect(outcome.outcome).toBe('full');
      expect(seq).toBeGreaterThanOrEqual(5);
      expect((await log.extent()).last).toBe(seq);
      expect(await log.get(seq + 1)).toBeNull();
      await log.trim(seq - 1);
      expect(await log.append(seq, entry(seq, 10_000), 10_000)).toEqual({ outcome: 'appended', seq: seq + 1 });
    },
  );

  test(
    'a stream that was purged: what is gone is `trimmed`, an append at an old place never counts as done',
    repeat,
    async () => {
      const { log, stream } = await openLog();
      const ids = await fill(log, 10);
      await manager.streams.purge(stream, { seq: 8 });
      await expect(log.read(3, { entries: 5, bytes: 1e6 })).rejects.toMatchObject({ code: 'trimmed' });
      expect(await log.append(10, entry(10), 10_000)).toEqual({ outcome: 'appended', seq: 11 });
      const late = await log.append(4, entry(4), 1_500);
      expect(['unresolved', 'conflict']).toContain(late.outcome);
      expect((await log.read(8, { entries: 1, bytes: 1e6 })).map(({ bytes }) => peekId(bytes))).toEqual([ids[7]]);
    },
  );

  test(
    'a stream that was recreated: an append of the old history finds no place, and a tail says `recreated`',
    repeat,
    async () => {
      const { log, stream, config } = await openLog();
      await fill(log, 5);
      const { created } = await log.extent();
      await manager.streams.delete(stream);
      await manager.streams.add(config);
      expect(await log.append(5, entry(5), 5_000)).toMatchObject({ outcome: 'behind' });
      expect((await log.extent()).last).toBe(0);
      const follow = async (): Promise<void> => {
        for await (const _batch of log.tail(6, { signal: AbortSignal.timeout(20_000), created }));
      };
      await expect(follow()).rejects.toMatchObject({ code: 'recreated' });
    },
  );

  test(
    'two of three servers are away: nothing is acknowledged, and the outcome is known when they are back',
    repeat,
    async () => {
      const { log, stream } = await openLog();
      await fill(log, 3);
      const first = await leader(stream);
      const away = [first, ...cluster.servers.filter((server) => server !== first)].slice(0, 2);
      for (const server of away) server.kill('SIGKILL');
      await Promise.all(away.map((server) => server.exited));
      const next = entry(3);
      expect((await log.append(3, next, 3_000)).outcome).toBe('unresolved');
      await Promise.all(away.map((server) => server.start()));
      await cluster.ready();
      expect(await log.append(3, next, 60_000)).toEqual({ outcome: 'appended', seq: 4 });
      expect((await log.extent()).last).toBe(4);
    },
  );
});
