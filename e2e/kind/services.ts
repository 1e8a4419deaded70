import { Client } from '@opensearch-project/opensearch';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { ChatConversation } from '../workloads/chat-conversation.ts';
import { promise } from './promise.ts';

promise('content: a page through the router is a miss, then a hit with an Age', 30, async ({ cluster }) => {
  const { host, edge } = cluster.endpoints;
  const url = `http://${host}:${edge}/?fresh=${Date.now()}`;
  const first = await fetch(url);
  expect(first.status).toBe(200);
  expect(first.headers.get('cache-status')).toMatch(/fwd=/);
  await first.arrayBuffer();
  await eventually(async () => {
    const again = await fetch(url);
    await again.arrayBuffer();
    expect(again.headers.get('cache-status')).toMatch(/hit/);
    expect(again.headers.get('age')).not.toBeNull();
  }, 10_000);
});

promise('database: ioredis writes to both shards, reads, and counts under MULTI', 30, async ({ cluster }) => {
  const redis = new Redis({ host: cluster.endpoints.host, port: cluster.endpoints.database, maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  try {
    const stamp = `${Date.now()}`;
    expect(await redis.set('apple', stamp)).toBe('OK');
    expect(await redis.set('zebra', stamp)).toBe('OK');
    expect(await redis.mget('apple', 'zebra')).toEqual([stamp, stamp]);
    await redis.set('a-count', 0);
    const results = await redis.multi().incr('a-count').incrby('a-count', 41).exec();
    expect(results?.map(([, value]) => value)).toEqual([1, 42]);
  } finally {
    redis.disconnect();
  }
});

promise('search: the OpenSearch client indexes in bulk, filters and highlights', 60, async ({ cluster }) => {
  const { host, search } = cluster.endpoints;
  const client = new Client({ node: `http://${host}:${search}` });
  const body = Array.from({ length: 500 }, (_, i) => [
    { index: { _index: 'products', _id: `item-${i}` } },
    { title: i % 10 === 0 ? 'a blue bicycle' : 'a plain table', price: i },
  ]).flat();
  const bulk = await client.bulk({ body, refresh: true });
  expect(bulk.body.errors).toBe(false);
  const found = await client.search({
    index: 'products',
    body: {
      size: 5,
      query: {
        bool: { must: [{ match: { title: 'bicycles' } }], filter: [{ range: { price: { gte: 400, lt: 500 } } }] },
      },
      highlight: { fields: { title: {} } },
    },
  });
  expect(found.body.hits.hits).toHaveLength(5);
  expect(found.body.hits.hits[0]?.highlight?.['title']?.[0]).toContain('<em>bicycle</em>');
  await client.close();
});

promise('chat: two unmodified centrifuge clients talk', 60, async ({ cluster }) => {
  const { host, chat } = cluster.endpoints;
  const conversation = new ChatConversation(`ws://${host}:${chat}/connection/websocket`, 'lobby', `talk-${Date.now()}`);
  await conversation.start();
  await eventually(async () => expect(conversation.acknowledged).toBeGreaterThan(50), 20_000);
  expect(await conversation.finish()).toMatchObject({ missing: [], doubled: [], ordered: true });
});
