import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logStreamConfig } from '../../contract/streams.ts';
import { liveSubject, logStream, logSubject } from '../../contract/subjects.ts';
import { startNats, type Nats } from '../../local/nats-server.ts';
import { encodeEntry, genesis, peekId } from './entry.ts';
import { JetStreamLog } from './jetstream-log.ts';
import { describeReplicatedLog } from './log-contract.ts';

let dir: string;
let server: Nats;
let connections: NatsConnection[];
let manager: JetStreamManager;
let made = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-jetstream-log-'));
  server = await startNats({ dir });
  await server.ready();
  const options = { servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 };
  connections = [await connect(options), await connect(options)];
  manager = await jetstreamManager(connections[0] as NatsConnection);
});

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

type Add = Parameters<JetStreamManager['streams']['add']>[0];

async function openLog() {
  const set = { kind: 'db', namespace: 'test', name: `log${++made}` } as const;
  const config = logStreamConfig(set, 1) as unknown as Add;
  await manager.streams.add(config);
  const clients = connections.map(
    (nats) =>
      new JetStreamLog({ nats, stream: logStream(set), subject: logSubject(set), liveSubject: liveSubject(set) }),
  );
  const recreate = async (): Promise<void> => {
    await manager.streams.delete(logStream(set));
    await manager.streams.add(config);
  };
  return { clients, recreate, set };
}

describeReplicatedLog('JetStream log', openLog);

describe('JetStream log', () => {
  test('a kill -9 of nats-server under appends loses nothing that was acknowledged', async () => {
    const { clients } = await openLog();
    const log = clients[0] as JetStreamLog;
    const acknowledged: string[] = [];
    const nats = server.servers[0];
    const writing = (async () => {
      for (let seq = 0; seq < 200; seq++) {
        const entry = encodeEntry({ kind: 'data', term: 1, writer: 'w', time: seq, previous: genesis }, []);
        expect(await log.append(seq, entry, 30_000)).toEqual({ outcome: 'appended', seq: seq + 1 });
        acknowledged.push(entry.id);
        if (seq === 100) nats?.kill('SIGKILL');
        if (seq === 100) void nats?.exited.then(() => nats.start());
      }
    })();
    await writing;
    const found = await log.read(1, { entries: 1000, bytes: 1e7 });
    expect(found.map(({ bytes }) => peekId(bytes))).toEqual(acknowledged);
  });

  test('a stream that does not exist is missing', async () => {
    const nats = connections[0] as NatsConnection;
    const log = new JetStreamLog({ nats, stream: 'NONE', subject: 'none', liveSubject: 'none.live' });
    await expect(log.extent()).rejects.toMatchObject({ name: 'LogError', code: 'missing' });
  });

  test('an attempt that nobody takes in is known not to have been processed', async () => {
    const nats = connections[0] as NatsConnection;
    const log = new JetStreamLog({ nats, stream: 'NONE', subject: 'none', liveSubject: 'none.live' });
    const entry = encodeEntry({ kind: 'data', term: 1, writer: 'w', time: 1, previous: genesis }, []);
    expect(await log.attempt(0, entry, 5_000)).toMatchObject({ result: 'not-taken' });
  });

  test('a tail that its reader leaves, or that fails, leaves no timer behind', async () => {
    const { clients } = await openLog();
    const log = clients[0] as JetStreamLog;
    const entry = encodeEntry({ kind: 'data', term: 1, writer: 'w', time: 1, previous: genesis }, []);
    await log.append(0, entry, 5_000);
    const { created } = await log.extent();
    const { signal } = new AbortController();
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (let i = 0; i < 50; i++) for await (const _ of log.tail(1, { signal, created })) break;
    const failed = async (): Promise<void> => {
      for await (const _ of log.tail(1, { signal, created: 'another time' }));
    };
    for (let i = 0; i < 50; i++) await expect(failed()).rejects.toMatchObject({ code: 'recreated' });
    expect(timers() - before).toBeLessThan(50);
  });

  test('entries of the largest size pass', async () => {
    const { clients } = await openLog();
    const log = clients[0] as JetStreamLog;
    const header = { kind: 'data', term: 1, writer: 'w', time: 1, previous: genesis } as const;
    const entry = encodeEntry(header, [new Uint8Array(4 * 1024 * 1024 - 400)]);
    expect(await log.append(0, entry, 10_000)).toEqual({ outcome: 'appended', seq: 1 });
    expect((await log.read(1, { entries: 10, bytes: 1e8 }))[0]?.bytes.length).toBe(entry.bytes.length);
  });
});
