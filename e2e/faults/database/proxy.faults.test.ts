import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Proxy, type Cut } from './proxy.ts';

let proxy: Proxy;
let client: Socket;
let received: string;
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received += chunk.toString();
    socket.write('answer');
  });
});

beforeEach(async () => {
  received = '';
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await Proxy.start([(server.address() as AddressInfo).port]);
  client = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  client.on('error', () => {});
  client.write('one ');
  await once(client, 'data');
});

afterEach(() => {
  client.destroy();
  proxy.stop();
  server.unref();
});

const cases: { cut: Cut; passes: boolean }[] = [
  { cut: 'both', passes: false },
  { cut: 'out', passes: false },
  { cut: 'in', passes: true },
];

for (const { cut, passes } of cases) {
  test(`cut ${cut}: what the process sends ${passes ? 'passes, its answer comes late' : 'arrives late'}`, async () => {
    proxy.cut(cut);
    let answers = 0;
    client.on('data', () => answers++);
    client.write('two');
    if (passes) await expect.poll(() => received).toBe('one two');
    else await sleep(200);
    expect({ received, answers }).toEqual({ received: passes ? 'one two' : 'one ', answers: 0 });
    proxy.cut('none');
    await expect.poll(() => received).toBe('one two');
    await expect.poll(() => answers).toBe(1);
  });
}

test('a connection that is made during a cut works after it', async () => {
  proxy.cut('both');
  const late = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  late.write('late');
  await sleep(100);
  expect(received).toBe('one ');
  proxy.cut('none');
  await once(late, 'data');
  expect(received).toBe('one late');
  late.destroy();
});
