import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Centrifuge } from 'centrifuge';
import { chatPartition, chatStream } from '../../contract/subjects.ts';
import { expectExact, talker } from './testing/traffic.ts';
import { client, hear, startWorld, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let one: TestGateway;
let two: TestGateway;
const clients: Centrifuge[] = [];

const connect = async (gateway: TestGateway, user: string): Promise<Centrifuge> => {
  const connected = client(gateway.url, user);
  clients.push(connected);
  connected.connect();
  await connected.ready(20_000);
  return connected;
};

beforeAll(async () => {
  world = await startWorld(3);
  one = await world.gateway('gateway-1');
  two = await world.gateway('gateway-2');
});
afterAll(async () => {
  for (const each of clients) each.disconnect();
  await world.stop();
});

describe('three NATS servers', () => {
  it('give the last places of a room to exactly as many as there are', async () => {
    await world.room({ name: 'small', maxMembers: 5 });
    const joins = Array.from({ length: 24 }, (_, i) =>
      [one, two][i % 2]!.services.members.join('small', `user-${i}`, 5).then(
        () => 'joined',
        (error: { code: string }) => error.code,
      ),
    );
    const outcomes = await Promise.all(joins);
    expect(outcomes.filter((outcome) => outcome === 'joined')).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === 'room-full')).toHaveLength(19);
  });

  it('lose no acknowledged message when the leader of a room is killed under traffic', async () => {
    await world.room({ name: 'quorum' });
    const listener = await hear(await connect(one, 'listener'), 'quorum');
    const speaker = await hear(await connect(two, 'speaker'), 'quorum');
    const talk = talker(speaker, 'speaker');
    await until('traffic flows', () => listener.publications.length > 50, 20_000);
    const manager = await jetstreamManager(world.operator.nats, { checkAPI: false });
    const info = await manager.streams.info(chatStream('test', chatPartition('quorum')));
    expect(info.config.num_replicas).toBe(3);
    const servers = world.nats.servers;
    const leader = servers[Number(/(\d+)$/.exec(info.cluster?.leader ?? '')?.[1] ?? 1) - 1] ?? servers[0]!;
    leader.kill('SIGKILL');
    await leader.exited;
    const before = listener.publications.length;
    await until('the listener hears again', () => listener.publications.length > before + 50, 40_000);
    await leader.start();
    await talk.stop();
    await expectExact(listener, talk.acknowledged);
    await expectExact(speaker, talk.acknowledged);
  });
});
