import { once } from 'node:events';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Centrifuge, Options } from 'centrifuge';
import { client, hear, startWorld, testSecret, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let gateway: TestGateway;
const clients: Centrifuge[] = [];

const sign = (claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(testSecret));
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

const open = (options: Partial<Options>): Centrifuge => {
  const opened = client(gateway.url, 'unused', { data: null, ...options });
  clients.push(opened);
  opened.connect();
  return opened;
};
const connect = async (options: Partial<Options>): Promise<Centrifuge> => {
  const connected = open(options);
  await connected.ready(10_000);
  return connected;
};

beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway('strict', {}, { QUARTET_CHAT_DEVELOPMENT: 'false' });
  await world.room({ name: 'open' });
  await world.room({ name: 'secret', type: 'private' });
});
afterEach(() => {
  for (const each of clients.splice(0)) each.disconnect();
});
afterAll(() => world.stop());

const closeCode = async (options: Partial<Options>): Promise<number> => {
  const opened = open(options);
  let code = 0;
  opened.on('disconnected', (context) => (code = context.code));
  await until('it is closed for good', () => code !== 0);
  return code;
};

describe('a gateway that is not in development mode', () => {
  it('accepts the word of nobody', async () => {
    expect(await closeCode({ data: { user: 'ann' } })).toBe(3500);
  });

  it('refuses a token that it did not sign', async () => {
    expect(await closeCode({ token: `${await sign({ sub: 'ann' })}x` })).toBe(3500);
  });

  it('asks for a new token when the old one is expired', async () => {
    const fresh = await sign({ sub: 'ann', exp: inSeconds(60) });
    let asked = 0;
    const getToken = async (): Promise<string> => {
      asked++;
      return fresh;
    };
    const connected = await connect({ token: await sign({ sub: 'ann', exp: inSeconds(-60) }), getToken });
    expect(connected.state).toBe('connected');
    expect(asked).toBe(1);
  });

  it('keeps a connection whose client renews its token in time', async () => {
    let asked = 0;
    const getToken = async (): Promise<string> => {
      asked++;
      return sign({ sub: 'ann', exp: inSeconds(asked === 1 ? 2 : 600) });
    };
    const connected = await connect({ getToken });
    let interrupted = false;
    connected.on('connecting', () => (interrupted = true));
    await until('the token was renewed', () => asked === 2);
    expect(await connected.rpc('rooms', {})).toBeDefined();
    expect(interrupted).toBe(false);
  });

  it('closes a connection whose token ended, so that the client comes back with another', async () => {
    const quick = await world.gateway('quick', { tickMs: 40 }, { QUARTET_CHAT_DEVELOPMENT: 'false' });
    const socket = new WebSocket(quick.url);
    await once(socket, 'open');
    socket.send(JSON.stringify({ id: 1, connect: { token: await sign({ sub: 'ann', exp: inSeconds(2) }) } }));
    socket.on('message', (data: Buffer) => {
      if (data.toString() === '{}') socket.send('{}');
    });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(3005);
  });

  it('lets a user into a public room only after joining it', async () => {
    const ann = await connect({ token: await sign({ sub: 'ann' }) });
    const subscription = ann.newSubscription('room:open');
    const refused: number[] = [];
    subscription.on('unsubscribed', ({ code }) => refused.push(code));
    subscription.subscribe();
    await until('it is refused', () => refused.length === 1);
    expect(refused).toEqual([103]);
    await expect(ann.publish('room:open', { content: 'x' })).rejects.toMatchObject({ code: 103 });
    await ann.rpc('join', { room: 'open' });
    subscription.subscribe();
    await subscription.ready(10_000);
    await subscription.publish({ content: 'x' });
  });

  it('lets a user into a private room by an invitation only', async () => {
    const stranger = await connect({ token: await sign({ sub: 'stranger' }) });
    await expect(stranger.rpc('join', { room: 'secret' })).rejects.toMatchObject({ code: 103 });
    await expect(stranger.history('room:secret', { limit: 10 })).rejects.toMatchObject({ code: 103 });
    await expect(stranger.presence('room:secret')).rejects.toMatchObject({ code: 103 });

    const claimed = await connect({ token: await sign({ sub: 'claimed', channels: ['room:secret'] }) });
    await hear(claimed, 'secret');

    const guest = await connect({ token: await sign({ sub: 'guest' }) });
    await hear(guest, 'secret', { token: await sign({ sub: 'guest', channel: 'room:secret' }) });

    const thief = await connect({ token: await sign({ sub: 'thief' }) });
    const stolen = thief.newSubscription('room:secret', {
      token: await sign({ sub: 'guest', channel: 'room:secret' }),
    });
    const refused: number[] = [];
    stolen.on('unsubscribed', ({ code }) => refused.push(code));
    stolen.subscribe();
    await until('it is refused', () => refused.length === 1);
    expect(refused).toEqual([103]);
    expect([...gateway.services.members.members('secret')].sort()).toEqual(['claimed', 'guest']);
  });
});
