import { Client } from '@opensearch-project/opensearch';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { eventually, runningQuartet } from './quartet.ts';
import { ChatConversation } from './workloads/chat-conversation.ts';

const quartet = runningQuartet();
const { host, edge, search, chat, database } = quartet.endpoints;

test('every sample is Ready and every pod is ready', async () => {
  await quartet.settled();
  const resources = await quartet.list('edgenodes,searchshards,chatrooms,dbshards');
  expect(resources.map((it) => `${it.kind}/${it.metadata.name}`).toSorted()).toEqual([
    'ChatRoom/lobby',
    'ChatRoom/support',
    'DBShard/app-a',
    'DBShard/app-m',
    'EdgeNode/frankfurt',
    'EdgeNode/new-york',
    'EdgeNode/singapore',
    'SearchShard/products-0',
    'SearchShard/products-1',
  ]);
});

test('a page through the router is a miss, then a hit with an Age', async () => {
  const url = `http://${host}:${edge}/?fresh=${Date.now()}`;
  const first = await fetch(url);
  expect(first.status).toBe(200);
  expect(first.headers.get('cache-status')).toMatch(/fwd=/);
  await first.arrayBuffer();
  const second = await fetch(url);
  await second.arrayBuffer();
  expect(second.headers.get('cache-status')).toMatch(/; ?hit/);
  expect(Number(second.headers.get('age'))).toBeGreaterThanOrEqual(0);
});

test('two unmodified Redis clients read and write both shards', async () => {
  const one = new Redis({ host, port: database });
  const two = createClient({ socket: { host, port: database } });
  await two.connect();
  expect(await one.set('apple', '1')).toBe('OK');
  expect(await two.set('zebra', '2')).toBe('OK');
  expect(await two.get('apple')).toBe('1');
  expect(await one.mget('apple', 'zebra', 'none')).toEqual(['1', '2', null]);
  expect(await one.multi().incr('counter').incr('counter').exec()).toEqual([
    [null, expect.any(Number)],
    [null, expect.any(Number)],
  ]);
  one.disconnect();
  two.destroy();
});

test('the OpenSearch client indexes 1,000 documents in bulk and finds them with highlights', async () => {
  const client = new Client({ node: `http://${host}:${search}` });
  const body = Array.from({ length: 1000 }, (_, i) => [
    { index: { _index: 'products', _id: `bulk-${i}` } },
    { title: `bicycle number ${i}`, colour: i % 2 === 0 ? 'blue' : 'red', price: i },
  ]).flat();
  const bulk = await client.bulk({ body, refresh: true });
  expect(bulk.body.errors).toBe(false);
  expect(bulk.body.items).toHaveLength(1000);
  const found = await client.search({
    index: 'products',
    body: {
      size: 5,
      query: { bool: { must: [{ match: { title: 'bicycles' } }], filter: [{ range: { price: { gte: 990 } } }] } },
      highlight: { fields: { title: {} } },
    },
  });
  expect(found.body.hits.total).toMatchObject({ value: 10 });
  expect(found.body.hits.hits[0]?.highlight?.['title']?.[0]).toContain('<em>bicycle</em>');
  await client.close();
});

test('two unmodified centrifuge clients talk', async () => {
  const conversation = new ChatConversation(`ws://${host}:${chat}/connection/websocket`, 'lobby', `talk-${Date.now()}`);
  await conversation.start();
  await eventually(async () => expect(conversation.acknowledged).toBeGreaterThan(50), 20_000);
  expect(await conversation.finish()).toMatchObject({ missing: [], doubled: [], ordered: true });
});

test.each([
  ['DBShard', { database: 'app', range: { start: 'z', end: 'a' } }, 'range'],
  ['DBShard', { database: 'app', replicas: 99 }, 'spec.replicas'],
  ['EdgeNode', { location: { country: 'DE', city: 'X', region: 'Y' }, coordinates: 'north' }, 'spec.coordinates'],
  ['ChatRoom', { displayName: 'x', maxMembers: -1 }, 'spec.maxMembers'],
  ['SearchShard', { index: 'products', ordinal: 5, of: 2 }, 'ordinal'],
])('a wrong %s is refused and the field is named', async (kind, spec, field) => {
  const manifest = { apiVersion: 'quartet.dev/v1alpha1', kind, metadata: { name: 'wrong' }, spec };
  await expect(quartet.apply(manifest)).rejects.toThrow(field);
});
