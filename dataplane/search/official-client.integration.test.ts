import { Client } from '@opensearch-project/opensearch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SearchCluster } from './testing/search-cluster.ts';

let cluster: SearchCluster;
let client: Client;

beforeAll(async () => {
  cluster = await SearchCluster.start([
    { index: 'books', shards: 2, replicas: 2 },
    { index: 'single', shards: 1, replicas: 1 },
  ]);
  client = new Client({ node: cluster.url });
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const animals = ['fox', 'dog', 'cat', 'owl', 'bear', 'wolf', 'otter'];
const document = (i: number): { title: string; body: string; year: number; tag: string } => ({
  title: `The ${animals[i % animals.length]} number ${i}`,
  body: `A quick brown ${animals[(i * 3) % animals.length]} jumped over ${i % 5 === 0 ? 'the lazy' : 'a running'} ${animals[(i * 5) % animals.length]}`,
  year: 1900 + (i % 120),
  tag: `tag-${i % 10}`,
});
const bulk = (index: string): object[] =>
  Array.from({ length: 1000 }, (_, i) => [{ index: { _index: index, _id: `doc-${i}` } }, document(i)]).flat();

describe('the official OpenSearch client', () => {
  it('creates an index, bulk-indexes 1,000 documents and searches them with highlights', async () => {
    const info = await client.info();
    expect(info.body.version.distribution).toBe('opensearch');
    await client.indices.create({ index: 'books', body: { mappings: { properties: { tag: { type: 'keyword' } } } } });
    const indexed = await client.bulk({ body: bulk('books'), refresh: true });
    expect(indexed.body.errors).toBe(false);
    expect(indexed.body.items).toHaveLength(1000);
    const found = await client.search({
      index: 'books',
      body: {
        query: { match: { body: { query: 'jumping foxes', operator: 'and' } } },
        highlight: { fields: { body: {} } },
        size: 3,
      },
    });
    expect(found.body._shards).toMatchObject({ total: 2, successful: 2, failed: 0 });
    expect(found.body.hits.hits).toHaveLength(3);
    expect(found.body.hits.hits[0]?.highlight?.['body']?.[0]).toContain('<em>fox</em>');
    expect(found.body.hits.hits[0]?.highlight?.['body']?.[0]).toContain('<em>jumped</em>');
    const counted = await client.count({ index: 'books' });
    expect(counted.body.count).toBe(1000);
  });
});
