import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Centrifuge } from 'centrifuge';
import { startGatewayProcess, startService, type GatewayProcess, type TestService } from './testing/gateway-process.ts';
import { expectExact, talker } from './testing/traffic.ts';
import { client, hear, roomEntry, startWorld, testApiKey, until, type ChatWorld } from './testing/world.ts';
import { putDirectory } from '../fabric/testing.ts';

let world: ChatWorld;
const gateways: GatewayProcess[] = [];
const services: TestService[] = [];
const clients: Centrifuge[] = [];

const launch = async (name: string): Promise<GatewayProcess> => {
  const gateway = await startGatewayProcess(world.nats.url, name);
  gateways.push(gateway);
  return gateway;
};

const service = async (...ports: number[]): Promise<TestService> => {
  const started = await startService(ports);
  services.push(started);
  return started;
};

const connect = async (url: string, user: string): Promise<Centrifuge> => {
  const connected = client(url, user);
  clients.push(connected);
  connected.connect();
  await connected.ready(10_000);
  return connected;
};

beforeAll(async () => {
  world = await startWorld();
  for (const name of ['kill', 'nats', 'shutdown', 'far'])
    await putDirectory(world.operator, 'chat', roomEntry({ name }));
});

afterEach(async () => {
  for (const each of clients.splice(0)) each.disconnect();
  for (const each of services.splice(0)) each.stop();
  for (const each of gateways.splice(0)) await each.kill('SIGKILL').catch(() => {});
});

afterAll(() => world.stop());

describe('a gateway that is killed under traffic', () => {
  it('loses no message for its clients and repeats none', async () => {
    const doomed = await launch('doomed');
    const other = await launch('other');
    const front = await service(doomed.port, other.port);
    const direct = await service(other.port);
    const listener = await hear(await connect(front.url, 'listener'), 'kill');
    const second = await hear(await connect(front.url, 'second'), 'kill');
    const steady = await hear(await connect(direct.url, 'steady'), 'kill');
    const talkers = [talker(steady, 'steady'), talker(listener, 'listener')];
    await until('traffic flows', () => listener.publications.length > 100);
    await doomed.kill('SIGKILL');
    const before = listener.publications.length;
    await until('the listener hears again', () => listener.publications.length > before + 100, 20_000);
    await Promise.all(talkers.map((each) => each.stop()));
    const acknowledged = talkers.flatMap((each) => each.acknowledged);
    for (const heard of [listener, second, steady]) await expectExact(heard, acknowledged);
  });

  it('tells its clients to come back when it is stopped in order', async () => {
    const leaving = await launch('leaving');
    const other = await launch('staying');
    const front = await service(leaving.port, other.port);
    const connection = await connect(front.url, 'guest');
    const codes: number[] = [];
    connection.on('connecting', ({ code }) => codes.push(code));
    const heard = await hear(connection, 'shutdown');
    const talk = talker(await hear(await connect((await service(other.port)).url, 'host'), 'shutdown'), 'host');
    await until('traffic flows', () => heard.publications.length > 50);
    await leaving.kill('SIGTERM');
    const before = heard.publications.length;
    await until('the guest hears again', () => heard.publications.length > before + 50, 20_000);
    await talk.stop();
    await expectExact(heard, talk.acknowledged);
    expect(codes).toContain(3001);
  });
});

describe('a client that was away', () => {
  it('recovers more than memory holds, from the stream', async () => {
    const gateway = await launch('memory');
    const front = await service(gateway.port);
    const away = await connect(front.url, 'away');
    const heard = await hear(away, 'far');
    const host = await hear(await connect(front.url, 'host'), 'far');
    await host.subscription.publish({ content: 'first' });
    await until('it arrived', () => heard.publications.length === 1);
    away.disconnect();
    const sent = ['first', ...Array.from({ length: 700 }, (_, i) => `m ${i}`)];
    const publish = async (content: string): Promise<number> => {
      const headers = { 'x-api-key': testApiKey };
      const body = JSON.stringify({ channel: 'room:far', data: { content } });
      return (await fetch(`http://127.0.0.1:${gateway.port}/api/publish`, { method: 'POST', headers, body })).status;
    };
    for (let i = 1; i < sent.length; i += 50) {
      const statuses = await Promise.all(sent.slice(i, i + 50).map(publish));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    away.connect();
    await expectExact(heard, sent);
  });
});

describe('nats-server that is killed under traffic', () => {
  it('loses no acknowledged message, and all flows again when it is back', async () => {
    const one = await launch('one');
    const two = await launch('two');
    const listener = await hear(await connect((await service(one.port)).url, 'listener'), 'nats');
    const speaker = await hear(await connect((await service(two.port)).url, 'speaker'), 'nats');
    const talk = talker(speaker, 'speaker');
    await until('traffic flows', () => listener.publications.length > 100);
    const [server] = world.nats.servers;
    if (server === undefined) throw new Error('no server');
    server.kill('SIGKILL');
    await server.exited;
    await sleep(1_000);
    await server.start();
    const before = listener.publications.length;
    await until('the listener hears again', () => listener.publications.length > before + 100, 30_000);
    await talk.stop();
    await expectExact(listener, talk.acknowledged);
    await expectExact(speaker, talk.acknowledged);
  });
});
