import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatBucket, chatPartition, chatStream } from '../../../contract/subjects.ts';
import { defaultLimits } from '../limits.ts';
import { Hub, type Subscribed } from '../room/hub.ts';
import { allMessages, everything, fill, messageLogSuite, sequencesOf } from '../testing/message-log-suite.ts';
import { roomEntry, startWorld, type ChatWorld } from '../testing/world.ts';
import { Audit } from './audit.ts';
import { JetStreamLog } from './jetstream-log.ts';
import { provision } from './provision.ts';
import { clearRoom, sweepRoom, type RetentionStore } from './retention.ts';
import { holdSweepLease } from './sweep-lease.ts';

let world: ChatWorld;
let manager: JetStreamManager;
let bucket: KV;
let log: JetStreamLog;
let store: RetentionStore;
let rooms = 0;

/** A room that no test used, in the partition of the others. */
const newRoom = (): string => {
  for (;;) {
    const name = `room-${rooms++}`;
    if (chatPartition(name) === 0) return name;
  }
};

beforeAll(async () => {
  world = await startWorld();
  manager = await jetstreamManager(world.operator.nats, { checkAPI: false });
  await provision(world.operator, manager);
  bucket = await new Kvm(world.operator.jetstream).open(chatBucket('test'));
  log = new JetStreamLog({
    namespace: 'test',
    jetstream: world.operator.jetstream,
    manager,
    times: { attemptMs: 1_000, deadlineMs: 5_000 },
  });
  store = { namespace: 'test', manager, bucket, log };
});
afterAll(() => world.stop());

messageLogSuite('on JetStream', () => ({ log, newRoom }));

describe('reading', () => {
  it('leaves no subscription behind', async () => {
    const room = newRoom();
    await fill(log, room, 3);
    const before = subscriptions();
    for (let i = 0; i < 20; i++) await log.read(room, everything, allMessages);
    expect(subscriptions()).toBe(before);
  });
});

/** Subscriptions that the connection holds. */
const subscriptions = (): number =>
  (world.operator.nats as unknown as { protocol: { subscriptions: { size(): number } } }).protocol.subscriptions.size();

describe('retention', () => {
  it('keeps the newest messages and raises the floor below them', async () => {
    const room = roomEntry({ name: newRoom(), retention: { maxAgeSeconds: 3_600, maxMessages: 4 } });
    const sequences = await fill(log, room.name, 10);
    expect(await sweepRoom(store, room, 10, Date.now())).toBe(6);
    expect(sequencesOf((await log.read(room.name, everything, allMessages)).publications)).toEqual(sequences.slice(6));
    expect(await log.floor(room.name)).toBe(sequences[5]);
    expect(await sweepRoom(store, room, 4, Date.now())).toBe(0);
  });

  it('removes messages that are too old, and only those', async () => {
    const room = roomEntry({ name: newRoom(), retention: { maxAgeSeconds: 1, maxMessages: 100 } });
    await fill(log, room.name, 3);
    await sleep(1_100);
    const young = await fill(log, room.name, 2);
    expect(await sweepRoom(store, room, 5, Date.now())).toBe(3);
    expect(sequencesOf((await log.read(room.name, everything, allMessages)).publications)).toEqual(young);
    expect(await sweepRoom(store, room, 2, Date.now() + 2_000)).toBe(2);
    expect((await log.read(room.name, everything, allMessages)).publications).toEqual([]);
  });

  it('touches no other room', async () => {
    const [room, other] = [
      roomEntry({ name: newRoom(), retention: { maxAgeSeconds: 3_600, maxMessages: 1 } }),
      newRoom(),
    ];
    const kept = await fill(log, other, 3);
    await fill(log, room.name, 3);
    await sweepRoom(store, room, 3, Date.now());
    await clearRoom(store, room.name);
    expect(sequencesOf((await log.read(other, everything, allMessages)).publications)).toEqual(kept);
    expect((await log.read(room.name, everything, allMessages)).publications).toEqual([]);
  });

  it('is the work of one gateway at a time', async () => {
    const now = Date.now();
    expect(await holdSweepLease(bucket, 'one', now, 1_000)).toBe(true);
    expect(await holdSweepLease(bucket, 'two', now + 500, 1_000)).toBe(false);
    expect(await holdSweepLease(bucket, 'one', now + 500, 1_000)).toBe(true);
    const rivals = await Promise.all(
      ['two', 'three', 'four'].map((each) => holdSweepLease(bucket, each, now + 2_000, 1_000)),
    );
    expect(rivals.filter(Boolean)).toHaveLength(1);
  });
});

const hubOf = async (room: string, limits = {}): Promise<Hub> =>
  new Hub(
    { room, log, limits: { ...defaultLimits, batchWindowMs: 0, ...limits }, logger: pino({ level: 'silent' }) },
    await log.position(room),
  );

const subscribe = async (hub: Hub, from: { offset: number; epoch: string } | null): Promise<Subscribed> => {
  const { promise, resolve } = Promise.withResolvers<Subscribed>();
  await hub.subscribe({ user: 'ann', client: 'c', sendFrame: () => {}, ended: () => {} }, from, resolve);
  return promise;
};

describe('recovery', () => {
  it('brings what is in the stream but not in memory', async () => {
    const room = newRoom();
    const sequences = await fill(log, room, 8);
    const hub = await hubOf(room);
    const result = await subscribe(hub, { offset: sequences[2] ?? 0, epoch: hub.epoch });
    expect(result).toMatchObject({ recovered: true, offset: sequences[2] });
    expect(sequencesOf(result.publications)).toEqual(sequences.slice(3));
    expect(await subscribe(hub, { offset: sequences[7] ?? 0, epoch: '' })).toMatchObject({
      recovered: true,
      publications: [],
    });
  });

  it('brings what the client missed while this gateway lags behind the one it came from', async () => {
    const room = newRoom();
    const hub = await hubOf(room);
    const sequences = await fill(log, room, 3);
    const result = await subscribe(hub, { offset: sequences[1] ?? 0, epoch: hub.epoch });
    expect(result.recovered).toBe(true);
    expect(sequencesOf(result.publications)).toEqual(sequences.slice(2));
  });

  it('says no to another epoch, a position in the future, one below the floor and one too far behind', async () => {
    const room = roomEntry({ name: newRoom(), retention: { maxAgeSeconds: 3_600, maxMessages: 3 } });
    const sequences = await fill(log, room.name, 8);
    const hub = await hubOf(room.name, { maxRecovered: 2 });
    const no = { recovered: false, publications: [], offset: hub.top };
    expect(await subscribe(hub, { offset: hub.top, epoch: 'other' })).toMatchObject(no);
    expect(await subscribe(hub, { offset: hub.top + 1_000_000, epoch: hub.epoch })).toMatchObject(no);
    expect(await subscribe(hub, { offset: sequences[4] ?? 0, epoch: hub.epoch })).toMatchObject(no);
    expect(await subscribe(hub, { offset: sequences[5] ?? 0, epoch: hub.epoch })).toMatchObject({ recovered: true });
    await sweepRoom(store, room, 8, Date.now());
    const patient = await hubOf(room.name);
    expect(await subscribe(patient, { offset: sequences[3] ?? 0, epoch: hub.epoch })).toMatchObject({
      recovered: false,
    });
    expect(await subscribe(patient, { offset: sequences[4] ?? 0, epoch: hub.epoch })).toMatchObject({
      recovered: true,
    });
  });
});

describe('an audit', () => {
  it('finds a message whose live copy was lost at the end of a room', async () => {
    const room = newRoom();
    await fill(log, room, 1);
    const hub = await hubOf(room);
    const audit = new Audit(world.operator, manager, { hubs: [hub], closePartition: () => {} });
    await audit.run();
    const [lost] = await fill(log, room, 1);
    await audit.run();
    await audit.run();
    expect(hub.top).toBeGreaterThanOrEqual(lost ?? Infinity);
    expect(sequencesOf(hub.recent(Infinity, 1) ?? [])).toEqual([lost]);
    expect(audit.messages(room)).toBe(2);
  });

  it('makes a lost stream anew and starts its rooms again, with another epoch', async () => {
    const room = newRoom();
    await fill(log, room, 2);
    const { epoch } = await log.position(room);
    const closed: number[] = [];
    const audit = new Audit(world.operator, manager, {
      hubs: [],
      closePartition: (partition) => closed.push(partition),
    });
    await audit.run();
    await manager.streams.delete(chatStream('test', 0));
    expect(await audit.run()).toEqual({ madeAnew: true });
    expect(closed).toEqual([0]);
    expect((await log.position(room)).epoch).not.toBe(epoch);
    expect(await log.floor(room)).toBe(0);
  });
});
