import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NumberingClient, ProcessSet } from './testing/process-set.ts';

const members = ['list-a', 'list-b', 'list-c'] as const;
let it: ProcessSet;
beforeEach(async () => {
  it = await ProcessSet.start(members, 3);
});
afterEach(() => it.stop());

describe('a log with three copies', () => {
  test('the stream leader is killed under load: nothing acknowledged is lost, the primary stays', async () => {
    expect(await it.control('list-a', { type: 'promote', term: 1 })).toMatchObject({ ok: true });
    const client = new NumberingClient(it, members);
    client.start();
    await it.until('writes', () => client.acknowledged.size > 300);
    const leader = (await it.streamInfo()).cluster?.leader ?? '';
    const server = it.nats.servers.find((_server, index) => leader.endsWith(String(index)));
    expect(server, leader).toBeDefined();
    server?.kill('SIGKILL');
    await server?.exited;
    const before = client.acknowledged.size;
    await it.until('writes again', () => client.acknowledged.size > before + 300);
    await server?.start();
    await client.stop();
    expect(client.verify(await it.agreed(members))).toEqual({ lost: [], twice: [], unexpected: [] });
    expect(it.state('list-a')).toMatchObject({ state: 'primary', term: 1 });
  });
});
