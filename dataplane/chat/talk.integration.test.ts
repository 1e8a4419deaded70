import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

beforeAll(async () => {
  world = await startWorld();
  one = await world.gateway('gateway-1');
  two = await world.gateway('gateway-2');
});

afterAll(async () => {
  for (const each of clients) each.disconnect();
  await world.stop();
});

describe('two clients on two gateways', () => {
  it('talk in a room, in one order, each message once', async () => {
    await world.room({ name: 'talk' });
    const ann = await connect(one, 'ann');
    const bob = await connect(two, 'bob');
    const annHears = await hear(ann, 'talk');
    const bobHears = await hear(bob, 'talk');
    for (let i = 0; i < 20; i++) {
      await Promise.all([
        annHears.subscription.publish({ content: `ann ${i}` }),
        bobHears.subscription.publish({ content: `bob ${i}` }),
      ]);
    }
    await until('both heard 40', () => annHears.publications.length >= 40 && bobHears.publications.length >= 40);
    expect(annHears.contents()).toEqual(bobHears.contents());
    expect(new Set(annHears.contents()).size).toBe(40);
    const [first] = annHears.publications;
    expect(first?.data).toMatchObject({ type: 'text', user: first?.info?.user });
    expect(first?.offset).toBeGreaterThan(0);
  });

  it('see the history in both directions, in pages', async () => {
    await world.room({ name: 'archive' });
    const ann = await connect(one, 'ann');
    const { subscription } = await hear(ann, 'archive');
    for (let i = 0; i < 12; i++) await subscription.publish({ content: String(i) });
    const contents = (page: { publications: { data: { content: string } }[] }): string[] =>
      page.publications.map(({ data }) => data.content);
    const bob = await connect(two, 'bob');
    const { subscription: far } = await hear(bob, 'archive');
    for (const each of [subscription, far]) {
      const start = await each.history({ limit: 5 });
      expect(contents(start)).toEqual(['0', '1', '2', '3', '4']);
      const since = { offset: start.publications.at(-1)?.offset ?? 0, epoch: start.epoch };
      expect(contents(await each.history({ limit: 5, since }))).toEqual(['5', '6', '7', '8', '9']);
      const newest = await each.history({ limit: 3, reverse: true });
      expect(contents(newest)).toEqual(['11', '10', '9']);
      const older = { offset: newest.publications.at(-1)?.offset ?? 0, epoch: newest.epoch };
      expect(contents(await each.history({ limit: 3, reverse: true, since: older }))).toEqual(['8', '7', '6']);
      expect(contents(await each.history({ limit: -1 }))).toHaveLength(12);
      const position = await each.history({ limit: 0 });
      expect(position.publications).toEqual([]);
      expect(position.offset).toBeGreaterThan(0);
    }
  });

  it('see who is present on either gateway, and joins and leaves', async () => {
    await world.room({ name: 'present' });
    const ann = await connect(one, 'ann');
    const annHears = await hear(ann, 'present', { joinLeave: true });
    const events: string[] = [];
    annHears.subscription.on('join', ({ info }) => events.push(`join ${info.user}`));
    annHears.subscription.on('leave', ({ info }) => events.push(`leave ${info.user}`));
    const bob = await connect(two, 'bob');
    const bobHears = await hear(bob, 'present');
    const again = await connect(two, 'bob');
    await hear(again, 'present');
    const { clients: present } = await annHears.subscription.presence();
    expect(
      Object.values(present)
        .map(({ user }) => user)
        .sort(),
    ).toEqual(['ann', 'bob', 'bob']);
    expect(await annHears.subscription.presenceStats()).toMatchObject({ numClients: 3, numUsers: 2 });
    bobHears.subscription.unsubscribe();
    await until('ann hears of it', () => events.includes('leave bob'));
    expect(events.filter((event) => event === 'join bob')).toHaveLength(2);
  });
});
