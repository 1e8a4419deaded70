import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, test } from 'vitest';
import { judgeDurability, readDurability, type SyncFacts } from './nats-durability.ts';

const facts = (sync_always: boolean): SyncFacts => ({
  server_id: 'S',
  config: { sync_always, sync_interval: 120_000_000_000 },
});
const server = (name: string, of: SyncFacts | null) => ({ url: `http://${name}:8222`, facts: of });

test.each([
  ['no endpoint', [], 'unverified'],
  ['all sync', [server('a', facts(true)), server('b', facts(true))], 'always'],
  ['one does not answer', [server('a', facts(true)), server('b', null)], 'unverified'],
  ['one is lax', [server('a', facts(true)), server('b', facts(false)), server('c', null)], 'lax'],
] as const)('%s', (_, servers, state) => {
  expect(judgeDurability(servers).state).toBe(state);
});

describe('a lax server', () => {
  it('is named, with what to do', async () => {
    // what nats-server 2.15 answers, shortened: sync_always is left out while it is false
    const body = JSON.stringify({ server_id: 'S', config: { store_dir: '/data', sync_interval: 120_000_000_000 } });
    const http = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    await new Promise((resolve) => http.once('listening', resolve));
    const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    expect(await readDurability([`http://${host}`])).toEqual({
      state: 'lax',
      problem: `nats-server at ${host} writes to disk every 120 s only: a power cut can lose acknowledged writes; set "sync_interval: always" in its jetstream block`,
    });
    http.close();
  });

  it('that does not answer is not judged', async () => {
    expect(await readDurability(['http://127.0.0.1:1'])).toEqual({ state: 'unverified' });
  });
});
