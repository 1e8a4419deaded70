import { Client } from '@opensearch-project/opensearch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SearchCluster } from './testing/search-cluster.ts';

let cluster: SearchCluster;
let client: Client;

beforeAll(async () => {
  cluster = await SearchCluster.start([{ index: 'books', shards: 2, replicas: 2 }]);
  client = new Client({ node: cluster.url, requestTimeout: 60_000 });
}, 240_000);
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const animals = ['fox', 'dog', 'cat', 'owl', 'bear', 'wolf', 'otter'];
const document = (i: number): { title: string; body: string; year: number } => ({
  title: `The ${animals[i % animals.length]} number ${i}`,
  body: `A quick brown ${animals[(i * 3) % animals.length]} jumped over ${i % 5 === 0 ? 'the lazy' : 'a running'} ${animals[(i * 5) % animals.length]}`,
  year: 1900 + (i % 120),
});

/** Index a document until it is acknowledged; answers its id. */
async function acknowledged(id: string, i: number): Promise<string> {
  await client.index({ index: 'books', id, body: document(i) });
  return id;
}

const countAll = async (): Promise<number> => (await client.count({ index: 'books' })).body.count;

describe('an index of two shards with two replicas, as processes', () => {
  it('takes 1,000 documents in one bulk from the official client and finds them, highlighted', async () => {
    expect((await client.info()).body.version.distribution).toBe('opensearch');
    await client.indices.create({ index: 'books' });
    const operations = Array.from({ length: 1000 }, (_, i) => [{ index: { _id: `doc-${i}` } }, document(i)]).flat();
    const indexed = await client.bulk({ index: 'books', body: operations, refresh: true });
    expect(indexed.body.errors).toBe(false);
    const query = { match: { body: { query: 'jumping foxes', operator: 'and' as const } } };
    const found = await client.search({
      index: 'books',
      body: { query, highlight: { fields: { body: {} } }, size: 3 },
    });
    expect(found.body._shards).toMatchObject({ total: 2, successful: 2, failed: 0 });
    const fragment = found.body.hits.hits[0]?.highlight?.['body']?.[0] ?? '';
    expect(fragment).toContain('<em>fox</em>');
    expect(fragment).toContain('<em>jumped</em>');
    expect(await countAll()).toBe(1000);
  }, 120_000);

  it('loses no acknowledged write when a primary is killed, and goes on under the next term', async () => {
    const before = await Promise.all(Array.from({ length: 50 }, (_, i) => acknowledged(`before-${i}`, i)));
    const during = Array.from({ length: 50 }, (_, i) => acknowledged(`during-${i}`, i));
    await cluster.kill('books-0-0');
    await cluster.promote('books-0', 'books-0-1', 2);
    const after = await Promise.all(during);
    const many = await client.mget({ index: 'books', body: { ids: [...before, ...after] } });
    expect(many.body.docs.filter((doc) => 'found' in doc && doc.found)).toHaveLength(100);
    expect(await countAll()).toBe(1100);
  }, 240_000);

  it('makes a restarted replica whole again from its files and the log', async () => {
    cluster.startMember('books-0-0');
    const primary = (): number => cluster.beats.get('books-0-1')?.beat.replica?.figures['documents'] ?? -1;
    await cluster.until('the replica has caught up', () => {
      const report = cluster.beats.alive('books-0-0', 1000) ? cluster.beats.get('books-0-0')?.beat.replica : undefined;
      return report?.state === 'following' && report.figures['documents'] === primary();
    });
    expect(primary()).toBeGreaterThan(400);
  }, 240_000);

  it('answers in part while all replicas of a shard are dead', async () => {
    await cluster.kill('books-1-0');
    await cluster.kill('books-1-1');
    const partial = await client.search({ index: 'books', body: { query: { match: { body: 'otter' } } } });
    expect(partial.body._shards).toMatchObject({ total: 2, successful: 1, failed: 1 });
    expect(partial.body.hits.hits.length).toBeGreaterThan(0);
  }, 120_000);
});
