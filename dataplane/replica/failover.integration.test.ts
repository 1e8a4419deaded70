import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NumberingClient, ProcessSet } from './testing/process-set.ts';

const members = ['list-a', 'list-b', 'list-c'] as const;
const nothing = { lost: [], twice: [], unexpected: [] };

let it: ProcessSet;
beforeEach(async () => {
  it = await ProcessSet.start(members);
});
afterEach(() => it.stop());

async function promote(name: string, term: number): Promise<void> {
  expect(await it.control(name, { type: 'promote', term })).toMatchObject({ ok: true, term });
}

describe('a replica set of processes', () => {
  test('kill -9 of the primary under load: nothing acknowledged is lost, nothing is there twice', async () => {
    await promote('list-a', 1);
    const client = new NumberingClient(it, members);
    client.start();
    await it.until('writes', () => client.acknowledged.size > 500);
    await it.kill('list-a');
    await wait(1_500);
    await promote('list-b', 2);
    const before = client.acknowledged.size;
    await it.until('writes again', () => client.acknowledged.size > before + 500);
    it.spawn('list-a');
    await client.stop();
    expect(client.verify(await it.agreed(members))).toEqual(nothing);
    expect(client.longestGap).toBeLessThan(4_000);
  });

  test('a primary that was stopped and goes on does not acknowledge nor serve reads', async () => {
    await promote('list-a', 1);
    expect(await it.ask('list-a', 'propose', 'first')).toBe('ok 2');
    expect(await it.ask('list-a', 'read')).toBe('ok 1 first');
    it.signal('list-a', 'SIGSTOP');
    const stale = [it.ask('list-a', 'propose', 'late', 15_000), it.ask('list-a', 'read', '', 15_000)];
    await promote('list-b', 2);
    expect(await it.ask('list-b', 'propose', 'second', 5_000)).toBe('ok 4');
    it.signal('list-a', 'SIGCONT');
    expect(await Promise.all(stale)).toEqual(['error not-primary', 'error not-primary']);
    expect(await it.agreed(members)).toEqual(['first', 'second']);
  });

  test('a planned switchover is short: the lease is given up in the log', async () => {
    await promote('list-a', 1);
    const client = new NumberingClient(it, members);
    client.start(4);
    await it.until('writes', () => client.acknowledged.size > 200);
    expect(await it.control('list-a', { type: 'step-down' })).toMatchObject({ ok: true });
    await promote('list-c', 2);
    const before = client.acknowledged.size;
    await it.until('writes again', () => client.acknowledged.size > before + 200);
    await client.stop();
    expect(client.longestGap).toBeLessThan(1_000);
    expect(client.verify(await it.agreed(members))).toEqual(nothing);
  });

  test('SIGTERM of the primary gives the lease up, so that the next one answers at once', async () => {
    await promote('list-a', 1);
    expect(await it.ask('list-a', 'propose', 'first')).toBe('ok 2');
    it.signal('list-a', 'SIGTERM');
    await it.until('it is gone', () => it.state('list-a') === undefined);
    await promote('list-b', 2);
    expect(await it.ask('list-b', 'propose', 'second', 500)).toMatch(/^ok/);
  });

  test('kill -9 of nats-server under load: all goes on when it is back, nothing acknowledged is lost', async () => {
    await promote('list-a', 1);
    const client = new NumberingClient(it, members);
    client.start();
    await it.until('writes', () => client.acknowledged.size > 500);
    const server = it.nats.servers[0];
    server?.kill('SIGKILL');
    await server?.exited;
    await wait(3_000);
    await server?.start();
    const before = client.acknowledged.size;
    await it.until('writes again', () => client.acknowledged.size > before + 500);
    await client.stop();
    expect(it.state('list-a')).toMatchObject({ state: 'primary', term: 1 });
    expect(client.verify(await it.agreed(members))).toEqual(nothing);
  });

  test('without an operator a replica stands by itself within 10 s, and only one leads', async () => {
    await promote('list-a', 1);
    expect(await it.ask('list-a', 'propose', 'first')).toBe('ok 2');
    await it.kill('list-a');
    const leading = () => members.filter((name) => it.state(name)?.state === 'primary');
    await it.until('another leads', () => leading().some((name) => name !== 'list-a'), 10_000);
    const [primary] = leading();
    expect(await it.ask(primary ?? '', 'propose', 'second')).toMatch(/^ok/);
    expect(leading()).toHaveLength(1);
  });

  test('a replica that needs trimmed entries is rebuilt from a peer while writes go on', async () => {
    await promote('list-a', 1);
    const client = new NumberingClient(it, members);
    client.start();
    await it.until('writes', () => client.acknowledged.size > 300);
    await it.kill('list-c');
    const { state } = await it.streamInfo();
    await it.until('more writes', () => client.acknowledged.size > 1_000);
    await it.manager.streams.purge('QUARTET_test_db_list', { seq: state.last_seq + 20 });
    it.spawn('list-c');
    await it.until('it follows again', () => it.state('list-c')?.state === 'following');
    await client.stop();
    expect(client.verify(await it.agreed(members))).toEqual(nothing);
    expect((await it.contents('list-c')).restored).toBe(1);
  });

  test('a recreated stream halts every member, and none serves', async () => {
    await promote('list-a', 1);
    expect(await it.ask('list-a', 'propose', 'first')).toBe('ok 2');
    const { config } = await it.streamInfo();
    await it.manager.streams.delete(config.name);
    await it.manager.streams.add(config);
    await it.until('all are halted', () => members.every((name) => it.state(name)?.state === 'halted'));
    expect(it.state('list-b')?.reason).toMatch(/another history/);
    expect(await it.ask('list-a', 'propose', 'second')).toBe('error not-primary');
  });
});
