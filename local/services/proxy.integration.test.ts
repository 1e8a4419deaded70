import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../processes/ports.ts';
import { ServiceProxy } from './proxy.ts';
import type { Address, Route } from './endpoints.ts';

describe('service proxy', () => {
  const servers: Server[] = [];
  let proxy: ServiceProxy;
  let opened: string[];
  let listen: Address;
  beforeEach(async () => {
    opened = [];
    proxy = new ServiceProxy(pino({ level: 'silent' }), (name, error) => opened.push(error ?? name));
    listen = { host: '127.0.0.1', port: await freePort() };
  });
  afterEach(() => {
    proxy.close();
    for (const server of servers.splice(0)) server.close();
  });

  const target = async (serve: (socket: Socket) => void): Promise<Address> => {
    const server = createServer({ allowHalfOpen: true }, serve);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };
  const dead = async (): Promise<Address> => ({ host: '127.0.0.1', port: await freePort() });
  const route = (targets: Address[]): Route => ({ name: 'default/web:80', listen, targets, sticky: false });
  const apply = async (targets: Address[]) => {
    const before = opened.length;
    proxy.apply([route(targets)]);
    const deadline = Date.now() + 5000;
    while (opened.length === before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const ask = async (): Promise<string> => {
    const socket = connect(listen);
    await once(socket, 'connect');
    return text(socket);
  };

  it('spreads connections over the targets', async () => {
    await apply([await target((s) => s.end('a')), await target((s) => s.end('b'))]);
    expect([await ask(), await ask(), await ask(), await ask()].sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('tries another target at once when one refuses', async () => {
    await apply([await dead(), await target((s) => s.end('alive')), await dead()]);
    const began = performance.now();
    expect([await ask(), await ask(), await ask()]).toEqual(['alive', 'alive', 'alive']);
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('closes the connection at once when there is no target', async () => {
    await apply([]);
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('passes a half-closed connection: the answer comes after the end of the request', async () => {
    await apply([await target((s) => void text(s).then((all) => s.end(`got ${all}`)))]);
    const socket = connect({ ...listen, allowHalfOpen: true });
    socket.end('hello');
    expect(await text(socket)).toBe('got hello');
  });

  it('does not read more from a target than the client takes', async () => {
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const flood = await target((s) => {
      s.on('error', () => undefined);
      const pump = (): void => {
        while (!s.destroyed && s.write(chunk)) written += chunk.length;
        s.once('drain', pump);
      };
      pump();
    });
    await apply([flood]);
    const socket = connect(listen);
    await once(socket, 'connect');
    socket.pause();
    // When nothing more is written for a while, back-pressure has reached the target.
    let last = -1;
    while (written !== last) {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
  });

  it('ends the client when the target dies in the middle', async () => {
    await apply([await target((s) => s.write('part', () => s.resetAndDestroy()))]);
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('leaves existing connections alone when the table changes', async () => {
    const sockets: Socket[] = [];
    await apply([await target((s) => sockets.push(s))]);
    const client = connect(listen);
    await expect.poll(() => sockets.length).toBe(1);
    proxy.apply([route([await target((s) => s.end('new'))])]);
    expect(await ask()).toBe('new');
    sockets[0]?.end('old');
    expect(await text(client)).toBe('old');
  });

  it('says so when an address is taken', async () => {
    const taken = await target(() => undefined);
    proxy.apply([{ ...route([]), listen: taken }]);
    await expect.poll(() => opened.join()).toContain('EADDRINUSE');
  });
});
