import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let gateway: TestGateway;

/** A WebSocket that notes what it gets. */
const raw = async (
  to: TestGateway = gateway,
): Promise<{ socket: WebSocket; lines: string[]; closed: Promise<number> }> => {
  const socket = new WebSocket(to.url);
  const lines: string[] = [];
  socket.on('message', (data: Buffer) => lines.push(...data.toString().split('\n')));
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await once(socket, 'open');
  return { socket, lines, closed };
};

const connected = async (to: TestGateway = gateway) => {
  const client = await raw(to);
  client.socket.send('{"id":1,"connect":{"data":{"user":"tester"}}}');
  await until('connected', () => client.lines.length === 1);
  return client;
};

/** The reply to a command with id 2. */
const reply = async (command: object): Promise<{ error?: { code: number } }> => {
  const { socket, lines } = await connected();
  socket.send(JSON.stringify({ id: 2, ...command }));
  await until('it is answered', () => lines.length === 2);
  socket.terminate();
  return JSON.parse(lines[1] ?? '') as { error?: { code: number } };
};

/** The gateway still serves. */
const expectAlive = async (): Promise<void> => {
  expect(await reply({ ping: {} })).toEqual({ id: 2, ping: {} });
};

const handshake = (path = '/connection/websocket'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

const tcp = async (to: TestGateway = gateway): Promise<Socket> => {
  const socket = dial(to.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};

beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway('gateway-1', { tickMs: 100, limits: { commandBurst: 600 } });
});
afterAll(() => world.stop());

describe('a frame that breaks the protocol ends the connection', () => {
  const frames: readonly [name: string, frame: string | Buffer, code: number][] = [
    ['no JSON', 'hello', 3501],
    ['an empty frame', '', 3501],
    ['an array', '[]', 3501],
    ['a command that is unknown', '{"id":2,"dance":{}}', 3501],
    ['a command without an id', '{"ping":{}}', 3501],
    ['one bad line among good ones', '{"id":2,"ping":{}}\n{"id":3,', 3501],
    ['300 commands', Array.from({ length: 300 }, (_, i) => `{"id":${i + 2},"ping":{}}`).join('\n'), 3501],
    ['binary', Buffer.from('{"id":2,"ping":{}}'), 3501],
    ['a second connect', '{"id":2,"connect":{"data":{"user":"x"}}}', 3501],
    ['a message without a reply', '{"send":{"data":1}}', 3508],
    [
      'more than 64 KiB',
      `{"id":2,"publish":{"channel":"room:lobby","data":{"content":"${'x'.repeat(70_000)}"}}}`,
      1009,
    ],
  ];
  it.each(frames)('%s', async (_, frame, code) => {
    const { socket, closed } = await connected();
    socket.send(frame, { binary: Buffer.isBuffer(frame) });
    expect(await closed).toBe(code);
    await expectAlive();
  });

  it('a command before connect', async () => {
    const { socket, closed } = await raw();
    socket.send('{"id":1,"ping":{}}');
    expect(await closed).toBe(3501);
  });

  it('bytes that are no WebSocket frame, an unmasked frame, text that is no UTF-8', async () => {
    for (const bytes of [
      Buffer.alloc(100, 0xff),
      Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
      Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]),
    ]) {
      const socket = await tcp();
      socket.write(handshake());
      await once(socket, 'data');
      socket.write(bytes);
      await once(socket, 'close');
    }
    await expectAlive();
  });

  it('silence instead of a connect', async () => {
    const { closed } = await raw();
    expect(await closed).toBe(3502);
  });
});

describe('a command that is wrong is refused and the connection goes on', () => {
  it.each([
    ['an unknown channel', { subscribe: { channel: 'room:none' } }, 102],
    ['a channel that is no room', { subscribe: { channel: 'news' } }, 102],
    ['a channel with a wildcard', { subscribe: { channel: 'room:*' } }, 102],
    ['a request without a channel', { subscribe: {} }, 107],
    ['a wrong type', { history: { channel: 'room:lobby', limit: 'many' } }, 107],
    ['an unknown method', { rpc: { method: 'dance' } }, 104],
    ['a method of Object', { rpc: { method: 'toString' } }, 104],
    ['bad data of a method', { rpc: { method: 'join', data: { room: 7 } } }, 107],
    ['publishing without being a member', { publish: { channel: 'room:lobby', data: { content: 'x' } } }, 103],
    ['sub_refresh', { sub_refresh: { channel: 'room:lobby', token: 'x' } }, 108],
  ])('%s', async (_, command, code) => {
    expect(await reply(command)).toMatchObject({ id: 2, error: { code } });
  });

  const messages: readonly [name: string, data: object | string | null | undefined][] = [
    ['no data', undefined],
    ['data that is null', null],
    ['empty content', { content: '' }],
    ['10,001 characters', { content: 'x'.repeat(10_001) }],
    [
      '10,000 keys at once',
      { content: 'x', metadata: Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`k${i}`, i])) },
    ],
    ['deep nesting', `{"content":"x","metadata":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`],
    [
      'metadata of 20 levels',
      { content: 'x', metadata: { a: JSON.parse('['.repeat(20) + ']'.repeat(20)) as unknown } },
    ],
  ];
  it.each(messages)('a message with %s', async (_, data) => {
    const { socket, lines } = await connected();
    socket.send('{"id":2,"rpc":{"method":"join","data":{"room":"lobby"}}}');
    const json = typeof data === 'string' ? data : JSON.stringify(data ?? null);
    socket.send(`{"id":3,"publish":{"channel":"room:lobby","data":${json}}}`);
    await until('both are answered', () => lines.length === 3);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ id: 3, error: { code: 107 } });
    socket.terminate();
    await expectAlive();
  });
});

describe('a client that asks too much', () => {
  it('is refused, then closed', async () => {
    const { socket, lines, closed } = await connected();
    for (let i = 0; i < 30; i++) {
      socket.send(Array.from({ length: 100 }, (_, j) => JSON.stringify({ id: 2 + i * 100 + j, ping: {} })).join('\n'));
      await sleep(1);
    }
    expect(await closed).toBe(3013);
    expect(lines.some((line) => line.includes('"code":111'))).toBe(true);
    await expectAlive();
  });
});

describe('a socket that is half closed or half open', () => {
  it('is ended when the client ends its side', async () => {
    const socket = await tcp();
    socket.write(handshake());
    await once(socket, 'data');
    const before = gateway.services.sessions.count;
    socket.end();
    await once(socket, 'close');
    expect(gateway.services.sessions.count).toBe(before);
  });

  it('is refused on another path, and with a malformed handshake', async () => {
    for (const request of [
      handshake('/other'),
      handshake().replace('Version: 13', 'Version: 1'),
      'GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n',
    ]) {
      const socket = await tcp();
      socket.write(request);
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toMatch(/^HTTP\/1\.1 4\d\d /);
      socket.destroy();
    }
    await expectAlive();
  });
});

describe('pings', () => {
  it('come to a client, and one that does not answer is closed within 30 seconds', async () => {
    const { lines, closed } = await connected();
    const started = Date.now();
    expect(await closed).toBe(3012);
    // a second of the gateway lasts 100 ms here
    expect(Date.now() - started).toBeLessThan(3_000 + 500);
    expect(lines).toContain('{}');
  });

  it('keep a client that answers', async () => {
    const { socket, lines } = await connected();
    let pings = 0;
    socket.on('message', (data: Buffer) => {
      if (data.toString() !== '{}') return;
      pings++;
      socket.send('{}');
    });
    await until('three pings came', () => pings === 3, 20_000);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(lines.length).toBeGreaterThan(3);
    socket.terminate();
  });
});

describe('a reader that does not read', () => {
  it('is closed, holds up nobody and takes a bounded amount of memory', async () => {
    // its seconds are real ones: neither client is closed for a missing pong
    const calm = await world.gateway('calm');
    await world.room({ name: 'flood' });
    const slow = await tcp(calm);
    slow.write(handshake());
    await once(slow, 'data');
    const frame = (text: string): Buffer => {
      const body = Buffer.from(text);
      return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
    };
    slow.write(frame('{"id":1,"connect":{"data":{"user":"slow"}}}'));
    slow.write(frame('{"id":2,"subscribe":{"channel":"room:flood"}}'));
    slow.resume();
    await until('it is subscribed', () => calm.services.sessions.sizeOf('flood') === 1);
    slow.pause();
    const reader = await connected(calm);
    reader.socket.send('{"id":2,"subscribe":{"channel":"room:flood"}}');
    await until('it is subscribed', () => calm.services.sessions.sizeOf('flood') === 2);
    const content = 'x'.repeat(9_000);
    let sent = 0;
    for (; calm.services.sessions.sizeOf('flood') === 2 && sent < 5_000; sent += 20) {
      const ids = Array.from({ length: 20 }, (_, i) => `flood-${sent + i}`);
      const body = JSON.stringify({ data: { content } });
      await Promise.all(ids.map((id) => calm.services.log.append('flood', id, body)));
    }
    expect(calm.services.sessions.sizeOf('flood')).toBe(1);
    expect(await calm.pod.metrics.metrics()).toContain('quartet_chat_disconnects_total{code="3008"} 1');
    await until('the other heard all', () => reader.lines.filter((line) => line.includes('"pub"')).length === sent);
    reader.socket.terminate();
    slow.destroy();
  });
});
