import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startNats, type Nats } from '../../local/nats-server.ts';
import { systemClock } from '../log/clock.ts';
import { snapshotSubject } from '../../contract/subjects.ts';
import { openSetSnapshot } from './set-snapshot.ts';
import { openSnapshot } from './snapshot-client.ts';
import { SnapshotServer } from './snapshot-server.ts';
import type { Position, Snapshot } from './state-machine.ts';

let dir: string;
let server: Nats;
let giver: NatsConnection;
let taker: NatsConnection;
let released = 0;
let servers: SnapshotServer[] = [];

const position: Position = { seq: 7, term: 2, log: 'monday', chain: 'ab', time: 5 };
const logger = pino({ level: 'silent' });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quartet-snapshot-'));
  server = await startNats({ dir });
  giver = await connect({ servers: server.url });
  taker = await connect({ servers: server.url });
});
afterAll(async () => {
  await Promise.all([giver.close(), taker.close()]);
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(servers.map((each) => each.stop()));
  servers = [];
  released = 0;
});

const chunk = (index: number): Uint8Array => new Uint8Array(100_000).fill(index % 256);

async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield chunk(index);
}

/** A replica that gives snapshots of `count` chunks; answers the subject. */
function serve(
  count: number,
  from: () => AsyncIterable<Uint8Array> = () => chunks(count),
  subject = `snapshot.${servers.length}.${Math.random()}`,
): string {
  const snapshot = async (): Promise<Snapshot> => ({
    position,
    chunks: from(),
    release: async () => void (released += 1),
  });
  const machine = { position: () => position, snapshot };
  servers.push(new SnapshotServer({ nats: giver, subject, set: 'db/test/list', machine, clock: systemClock, logger }));
  return subject;
}

const open = (subject: string, set = 'db/test/list', signal = new AbortController().signal) =>
  openSnapshot({ nats: taker, subject, set, clock: systemClock, signal });

describe('snapshot transfer', () => {
  test('every chunk arrives once, in order, and the peer frees the snapshot', async () => {
    const snapshot = await open(serve(50));
    expect(snapshot.position).toEqual(position);
    let index = 0;
    for await (const bytes of snapshot.chunks) expect(Buffer.compare(bytes, chunk(index++))).toBe(0);
    expect(index).toBe(50);
    await expect.poll(() => released).toBe(1);
  });

  test('an empty snapshot is a snapshot', async () => {
    const snapshot = await open(serve(0));
    for await (const _bytes of snapshot.chunks) throw new Error('nothing expected');
  });

  test('a reader that stops early frees the snapshot as well', async () => {
    const snapshot = await open(serve(50));
    for await (const _bytes of snapshot.chunks) break;
    await expect.poll(() => released).toBe(1);
  });

  test('a replica of another set is not served', async () => {
    await expect(open(serve(1), 'db/test/other')).rejects.toMatchObject({ name: 'SnapshotError', code: 'refused' });
  });

  test('a peer gives two at a time, the third is refused', async () => {
    const subject = serve(50);
    await open(subject);
    await open(subject);
    await expect(open(subject)).rejects.toMatchObject({ code: 'refused', message: /busy/ });
  });

  test('a peer that was restarted half way knows nothing of it: peer-gone', async () => {
    const subject = serve(50);
    const snapshot = await open(subject);
    const read = async (): Promise<void> => {
      let count = 0;
      for await (const _bytes of snapshot.chunks) if (++count === 10) await restart();
    };
    const restart = async (): Promise<void> => {
      await servers[0]?.stop();
      const machine = { position: () => position, snapshot: () => Promise.reject(new Error('not asked')) };
      servers.push(new SnapshotServer({ nats: giver, subject, set: 'x', machine, clock: systemClock, logger }));
    };
    await expect(read()).rejects.toMatchObject({ name: 'SnapshotError', code: 'peer-gone' });
    expect(released).toBe(1);
  });

  test('a peer whose store fails half way ends it as peer-gone, with its reason', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield chunk(0);
      throw new Error('the disk is gone');
    }
    const snapshot = await open(serve(2, failing));
    const read = async (): Promise<void> => {
      for await (const _bytes of snapshot.chunks);
    };
    await expect(read()).rejects.toMatchObject({ code: 'peer-gone', message: 'the disk is gone' });
  });

  test('malformed requests are answered with an error, and the next is served', async () => {
    const subject = serve(1);
    await giver.flush();
    for (const payload of [
      '',
      '{',
      '{"op":"chunk"}',
      '{"op":"open","set":5}',
      '{"op":"chunk","id":"none","index":0}',
    ]) {
      const reply = await taker.request(subject, payload, { timeout: 2000 });
      expect(reply.data[0]).toBe(2);
    }
    await open(subject);
  });
});

describe('a snapshot of another set', () => {
  const list = { kind: 'db', namespace: 'test', name: 'list' } as const;
  const peer = (pod: string, applied = 7) => ({ pod, applied, leading: false });
  const openOf = (pods: readonly ReturnType<typeof peer>[], first = 1, created = 'monday') => {
    const extent = async () => ({ created, first, last: 10, bytes: 0 });
    const { signal } = new AbortController();
    return openSetSnapshot({ nats: taker, set: list, log: { extent }, peers: pods, clock: systemClock, signal });
  };

  test('comes from any member that gives one', async () => {
    for (const pod of ['busy', 'free']) serve(3, undefined, snapshotSubject(list, pod));
    for (let i = 0; i < 2; i++) await open(snapshotSubject(list, 'busy'));
    const snapshot = await openOf([peer('busy', 8), peer('free')]);
    let count = 0;
    for await (const _bytes of snapshot.chunks) count += 1;
    expect([count, snapshot.position]).toEqual([3, position]);
  });

  test('is refused when none is known, or none fits to the log', async () => {
    await expect(openOf([])).rejects.toThrow(/no live member/);
    serve(3, undefined, snapshotSubject(list, 'late'));
    await expect(openOf([peer('late')], 9)).rejects.toMatchObject({ code: 'refused' });
    await expect(openOf([peer('late', 20)], 9)).rejects.toThrow(/does not fit/);
    await expect(openOf([peer('late')], 1, 'tuesday')).rejects.toThrow(/does not fit/);
  });
});
