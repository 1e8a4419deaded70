import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Centrifuge } from 'centrifuge';
import { client, hear, startWorld, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let one: TestGateway;
let two: TestGateway;
const clients: Centrifuge[] = [];

const connect = async (gateway: TestGateway, user: string): Promise<Centrifuge> => {
  const connected = client(gateway.url, user);
  clients.push(connected);
  connected.connect();
  await connected.ready(10_000);
  return connected;
};

const rpc = async (of: Centrifuge, method: string, data: object): Promise<Record<string, unknown>> =>
  (await of.rpc(method, data)).data as Record<string, unknown>;

beforeAll(async () => {
  world = await startWorld();
  one = await world.gateway('gateway-1');
  two = await world.gateway('gateway-2');
});
afterEach(() => {
  for (const each of clients.splice(0)) each.disconnect();
});
afterAll(() => world.stop());

describe('a room with a limit of members', () => {
  it('takes exactly that many, whoever joins at once over which gateway', async () => {
    await world.room({ name: 'small', maxMembers: 7 });
    const joins = Array.from({ length: 40 }, (_, i) =>
      [one, two][i % 2]!.services.members.join('small', `user-${i}`, 7).then(
        () => `user-${i}`,
        (error: { code: string }) => error.code,
      ),
    );
    const outcomes = await Promise.all(joins);
    const joined = outcomes.filter((outcome) => outcome.startsWith('user-'));
    expect(joined).toHaveLength(7);
    expect(outcomes.filter((outcome) => outcome === 'room-full')).toHaveLength(33);
    for (const gateway of [one, two]) {
      await until('both know the members', () => gateway.services.members.count('small') === 7);
      expect([...gateway.services.members.members('small')].sort()).toEqual(joined.toSorted());
    }
  });

  it('has a place again when a member leaves', async () => {
    await world.room({ name: 'swap', maxMembers: 1 });
    const ann = await connect(one, 'ann');
    await hear(ann, 'swap');
    const bob = await connect(two, 'bob');
    await expect(rpc(bob, 'join', { room: 'swap' })).rejects.toMatchObject({ code: 1000 });
    await rpc(ann, 'leave', { room: 'swap' });
    expect(await rpc(bob, 'join', { room: 'swap' })).toMatchObject({ joined: true, members: 1 });
  });

  it('counts a user once, however often they join', async () => {
    await world.room({ name: 'once', maxMembers: 2 });
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => [one, two][i % 2]!.services.members.join('once', 'ann', 2)),
    );
    expect(results.filter(({ changed }) => changed).length).toBeGreaterThanOrEqual(1);
    await one.services.members.join('once', 'bob', 2);
    expect(one.services.members.count('once')).toBe(2);
  });
});

describe('a member who leaves', () => {
  it('is unsubscribed on every gateway and may not publish any more', async () => {
    await world.room({ name: 'left' });
    const here = await connect(one, 'ann');
    const there = await connect(two, 'ann');
    const heard = [await hear(here, 'left'), await hear(there, 'left')];
    const codes: number[] = [];
    for (const { subscription } of heard) subscription.on('unsubscribed', ({ code }) => codes.push(code));
    await rpc(here, 'leave', { room: 'left' });
    await until('both are unsubscribed', () => codes.length === 2);
    expect(codes).toEqual([2000, 2000]);
    await expect(there.publish('room:left', { content: 'x' })).rejects.toMatchObject({ code: 103 });
  });
});

describe('users', () => {
  it('have a record, a status, sessions and a time when they were last seen', async () => {
    await world.room({ name: 'people' });
    const ann = client(one.url, 'anna', { data: { user: 'anna', username: 'Ann', email: 'ann@example.org' } });
    clients.push(ann);
    ann.connect();
    await ann.ready(10_000);
    await hear(ann, 'people');
    const bob = await connect(two, 'bobby');
    await hear(bob, 'people');
    expect(await rpc(ann, 'user', {})).toMatchObject({ username: 'Ann', email: 'ann@example.org', online: true });
    await rpc(ann, 'status', { status: 'away' });
    await one.services.users.flush();
    const seen = await rpc(bob, 'user', { user: 'anna' });
    expect(seen).toMatchObject({ user: 'anna', username: 'Ann', status: 'away', rooms: ['people'] });
    expect(seen).not.toHaveProperty('email');
    expect(await rpc(bob, 'users', { room: 'people' })).toEqual({
      users: [
        { user: 'anna', online: true },
        { user: 'bobby', online: true },
      ],
      more: false,
    });
    const before = Date.now();
    ann.disconnect();
    await until('ann is offline', async () => (await rpc(bob, 'user', { user: 'anna' }))['status'] === 'offline');
    await one.services.users.flush();
    const after = await rpc(bob, 'user', { user: 'anna' });
    expect(after['lastSeen']).toBeGreaterThanOrEqual(before);
  });

  it('see the rooms, and which of them they are in', async () => {
    await world.room({ name: 'shown', displayName: 'Shown' });
    await world.room({ name: 'hidden', type: 'private' });
    const ann = await connect(one, 'ann-of-rooms');
    await rpc(ann, 'join', { room: 'shown' });
    const { rooms } = (await rpc(ann, 'rooms', {})) as { rooms: { name: string; joined: boolean }[] };
    expect(rooms.find(({ name }) => name === 'shown')).toMatchObject({
      displayName: 'Shown',
      joined: true,
      members: 1,
    });
    expect(rooms.some(({ name }) => name === 'hidden')).toBe(false);
  });

  it('hear that somebody types, which is stored nowhere', async () => {
    await world.room({ name: 'typing' });
    const ann = await connect(one, 'ann');
    const heard = await hear(ann, 'typing');
    const bob = await connect(two, 'bob');
    await hear(bob, 'typing');
    await rpc(bob, 'typing', { room: 'typing' });
    await until('ann hears of it', () => heard.publications.length === 1);
    expect(heard.publications[0]).toMatchObject({ data: { event: 'typing', user: 'bob' } });
    expect(heard.publications[0]?.offset).toBeUndefined();
    expect((await heard.subscription.history({ limit: 10 })).publications).toEqual([]);
  });

  it('who are offline are announced on a subject for notifications, and those online are not', async () => {
    await world.room({ name: 'notify' });
    const told: { user: string; preview: string }[] = [];
    world.operator.nats.subscribe('quartet.test.chatnotify.*', {
      callback: (_, message) => void told.push(message.json()),
    });
    await world.operator.nats.flush();
    for (const user of ['ann', 'bob', 'carl']) await one.services.members.join('notify', user, 10);
    const ann = await connect(one, 'ann');
    await connect(two, 'bob');
    await ann.publish('room:notify', { content: 'are you there?' });
    await until('somebody is told', () => told.length > 0);
    expect(told).toEqual([
      expect.objectContaining({ user: 'carl', from: 'ann', room: 'notify', preview: 'are you there?' }),
    ]);
  });
});

describe('a room', () => {
  it('that is being deleted ends its subscriptions, takes no message and loses what it held', async () => {
    const room = await world.room({ name: 'doomed' });
    const ann = await connect(one, 'ann');
    const { subscription } = await hear(ann, 'doomed');
    await subscription.publish({ content: 'x' });
    const ended: number[] = [];
    subscription.on('unsubscribed', ({ code }) => ended.push(code));
    await world.room({ ...room, closing: true });
    await until('the subscription ended', () => ended.length === 1);
    expect(ended).toEqual([2000]);
    await expect(ann.publish('room:doomed', { content: 'x' })).rejects.toMatchObject({ code: 102 });
  });

  it('that does not exist is an unknown channel', async () => {
    const ann = await connect(one, 'ann');
    const subscription = ann.newSubscription('room:nowhere');
    const errors: number[] = [];
    subscription.on('unsubscribed', ({ code }) => errors.push(code));
    subscription.subscribe();
    await until('it is refused', () => errors.length === 1);
    expect(errors).toEqual([102]);
  });
});
