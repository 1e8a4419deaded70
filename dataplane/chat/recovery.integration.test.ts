import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Centrifuge } from 'centrifuge';
import { startGatewayProcess, startService, type GatewayProcess, type TestService } from './gateway-process.ts';
import { client, hear, roomEntry, startWorld, until, type ChatWorld, type Heard } from './testing.ts';
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

/** Publishes numbered messages until told to stop, each until it is acknowledged. */
const talker = (heard: Heard, name: string) => {
  const acknowledged: string[] = [];
  const stopping = new AbortController();
  const run = (async () => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const content = `${name} ${i}`;
      // the id makes sending again safe when the outcome of the first attempt is unknown
      for (let done = false; !done;) {
        done = await heard.subscription.publish({ content, id: `${name}-${i}` }).then(
          () => true,
          () => sleep(20, false),
        );
      }
      acknowledged.push(content);
      await sleep(2);
    }
  })();
  return {
    acknowledged,
    stop: async () => {
      stopping.abort();
      await run;
    },
  };
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

/** The listener got every acknowledged message, none twice, in the order of the stream. */
const expectExact = (heard: Heard, acknowledged: readonly string[]): void => {
  const contents = heard.contents();
  expect(new Set(contents).size).toBe(contents.length);
  expect(new Set(contents)).toEqual(new Set(acknowledged));
  const offsets = heard.publications.map(({ offset }) => offset ?? 0);
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
};

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
    for (const heard of [listener, second, steady]) {
      await until('all arrived', () => heard.publications.length >= acknowledged.length);
      expectExact(heard, acknowledged);
    }
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
    await until('all arrived', () => heard.publications.length >= talk.acknowledged.length);
    expectExact(heard, talk.acknowledged);
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
    const sent = ['first'];
    for (let i = 0; i < 900; i += 20) {
      const batch = Array.from({ length: 20 }, (_, j) => `m ${i + j}`);
      await Promise.all(batch.map((content) => host.subscription.publish({ content })));
      sent.push(...batch);
      await sleep(300);
    }
    away.connect();
    await until('all arrived', () => heard.publications.length >= sent.length, 20_000);
    expectExact(heard, sent);
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
    await until('all arrived', () => listener.publications.length >= talk.acknowledged.length);
    expectExact(listener, talk.acknowledged);
    expectExact(speaker, talk.acknowledged);
  });
});
