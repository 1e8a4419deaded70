import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, hear, startWorld, testApiKey, until, type ChatWorld, type TestGateway } from './testing/world.ts';

let world: ChatWorld;
let gateway: TestGateway;

interface ApiReply {
  readonly status: number;
  readonly body: { result?: Record<string, unknown>; error?: { code: number; message: string } };
}

const post = async (method: string, body: unknown, headers: Record<string, string> = {}): Promise<ApiReply> => {
  const response = await fetch(`${gateway.http}/api/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': testApiKey, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as ApiReply['body'] };
};

beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway('gateway-1');
});
afterAll(() => world.stop());

describe('the HTTP API', () => {
  it('publishes to subscribers, once for each idempotency key', async () => {
    await world.room({ name: 'news' });
    const ann = client(gateway.url, 'ann');
    ann.connect();
    const heard = await hear(ann, 'news');
    const order = {
      channel: 'room:news',
      data: { content: 'hot', type: 'system' },
      user: 'press',
      idempotency_key: 'k1',
    };
    const first = await post('publish', order);
    expect(first).toEqual({
      status: 200,
      body: { result: { offset: expect.any(Number) as number, epoch: expect.any(String) as string } },
    });
    expect(await post('publish', order)).toEqual(first);
    await post('publish', { channel: 'room:news', data: { content: 'next' } });
    await until('both arrived', () => heard.publications.length >= 2);
    expect(heard.contents()).toEqual(['hot', 'next']);
    expect(heard.publications[0]?.data).toMatchObject({ user: 'press', type: 'system', id: 'k1' });
    const history = await post('history', { channel: 'room:news', limit: 10 });
    expect(history.body.result?.['publications']).toHaveLength(2);
    const presence = await post('presence', { channel: 'room:news' });
    expect(Object.values(presence.body.result?.['presence'] as object)).toEqual([
      expect.objectContaining({ user: 'ann' }),
    ]);
    expect((await post('presence_stats', { channel: 'room:news' })).body.result).toEqual({
      num_clients: 1,
      num_users: 1,
    });
    expect((await post('channels', {})).body.result).toEqual({ channels: { 'room:news': { num_clients: 1 } } });
    expect((await post('info', {})).body.result?.['nodes']).toEqual([
      expect.objectContaining({ name: 'gateway-1', num_clients: 1, num_users: 1, num_channels: 1 }),
    ]);
    ann.disconnect();
  });

  it('makes and ends memberships, within the limit', async () => {
    await world.room({ name: 'club', type: 'private', maxMembers: 1 });
    const ann = { channel: 'room:club', user: 'ann' };
    expect(await post('join', ann)).toMatchObject({ status: 200, body: { result: { joined: true, members: 1 } } });
    expect(await post('join', ann)).toMatchObject({ status: 200, body: { result: { joined: false } } });
    expect(await post('join', { ...ann, user: 'bob' })).toMatchObject({ status: 409, body: { error: { code: 1000 } } });
    expect(await post('leave', ann)).toMatchObject({ status: 200, body: { result: { left: true, members: 0 } } });
    expect(await post('leave', ann)).toMatchObject({ status: 200, body: { result: { left: false } } });
  });

  it('takes the key in the Authorization header as well', async () => {
    const headers = { 'x-api-key': '', authorization: `apikey ${testApiKey}` };
    const response = await fetch(`${gateway.http}/api/info`, {
      method: 'POST',
      headers: { authorization: headers.authorization },
      body: '{}',
    });
    expect(response.status).toBe(200);
  });

  const refused: readonly [name: string, status: number, code: number, call: () => Promise<ApiReply>][] = [
    ['no key', 401, 101, () => post('info', {}, { 'x-api-key': '' })],
    ['a wrong key', 401, 101, () => post('info', {}, { 'x-api-key': 'guess' })],
    ['an unknown method', 404, 104, () => post('dance', {})],
    ['a method of Object', 404, 104, () => post('constructor', {})],
    ['malformed JSON', 400, 107, () => post('publish', '{')],
    ['an array', 400, 107, () => post('publish', [])],
    ['no channel', 400, 107, () => post('publish', { data: { content: 'x' } })],
    ['an unknown room', 404, 102, () => post('publish', { channel: 'room:none', data: { content: 'x' } })],
    ['another channel', 404, 102, () => post('history', { channel: 'news' })],
    ['empty content', 400, 107, () => post('publish', { channel: 'room:lobby', data: { content: '' } })],
    [
      'a file where files are off',
      400,
      1002,
      () => post('publish', { channel: 'room:lobby', data: { content: 'x', type: 'file' } }),
    ],
    [
      'a body that is too large',
      413,
      107,
      () => post('publish', { channel: 'room:lobby', data: { content: 'x'.repeat(200_000) } }),
    ],
    ['a user that is empty', 400, 107, () => post('join', { channel: 'room:lobby', user: '' })],
  ];
  it.each(refused)('refuses %s with %d and code %d', async (_, status, code, call) => {
    expect(await call()).toMatchObject({ status, body: { error: { code } } });
  });

  it('serves a page to try a room by hand, which loads nothing from elsewhere', async () => {
    const response = await fetch(gateway.http);
    expect(response.headers.get('content-type')).toContain('text/html');
    const html = await response.text();
    expect(html).toContain('role="log"');
    expect(html).not.toMatch(/(src|href)="https?:/);
  });

  it('answers what is no call with a clear status', async () => {
    expect((await fetch(`${gateway.http}/api/info`, { headers: { 'x-api-key': testApiKey } })).status).toBe(405);
    expect((await fetch(`${gateway.http}/nothing`)).status).toBe(404);
  });
});
