import { connect } from 'node:net';
import { once } from 'node:events';
import { Client } from '@opensearch-project/opensearch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalCluster } from './testing/local-cluster.ts';

let cluster: LocalCluster;
let client: Client;

beforeAll(async () => {
  cluster = await LocalCluster.start({ one: 1, two: 2, books: 2, notes: 2, fresh: 1 });
  client = new Client({ node: cluster.url });
});
afterAll(async () => {
  await client.close();
  await cluster.stop();
});

interface Reply {
  readonly status: number;
  readonly source: string | null;
  // the bodies of a REST API in tests
  readonly body: Record<string, never> & {
    error?: { type: string; reason: string };
    hits?: { total: { value: number }; hits: { _id: string; _score: number }[] };
  };
}

async function call(method: string, path: string, body?: unknown): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(cluster.url + path, { method, ...(body !== undefined && { body: text }) });
  const reply = await response.text();
  return {
    status: response.status,
    source: response.headers.get('x-quartet-source'),
    body: reply === '' ? {} : JSON.parse(reply),
  } as Reply;
}

const words = [
  'river',
  'stone',
  'running',
  'lights',
  'mountain',
  'cat',
  'dog',
  'snow',
  'green',
  'old',
  'the',
  'of',
  'a',
];
function makeText(seed: number, length: number): string {
  let state = (seed * 2654435761) >>> 0;
  const next = (): string => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // squared: some words are frequent, some rare
    return words[Math.floor((state / 2 ** 32) ** 2 * words.length)] ?? '';
  };
  return Array.from({ length }, next).join(' ');
}

describe('two shards', () => {
  beforeAll(async () => {
    for (const index of ['one', 'two']) {
      const operations = Array.from({ length: 600 }, (_, i) => [
        { index: { _id: `doc-${i}` } },
        { title: makeText(i, 4), body: makeText(i + 7000, 5 + (i % 40)), n: i % 50, tag: `t${i % 7}` },
      ]);
      await client.bulk({ index, body: operations.flat() });
      // rewrites and deletions: the statistics count live documents only
      const changes = Array.from({ length: 120 }, (_, i) => [
        { index: { _id: `doc-${i * 3}` } },
        { title: makeText(i + 99, 6), body: makeText(i, 12), n: 3, tag: 't1' },
      ]);
      await client.bulk({ index, body: changes.flat() });
      await client.bulk({ index, body: Array.from({ length: 60 }, (_, i) => ({ delete: { _id: `doc-${i * 7}` } })) });
    }
  });

  const pick = (i: number): string => words[i % words.length] ?? '';
  const queries: object[] = Array.from({ length: 100 }, (_, i) => {
    const [x, y, z] = [pick(i), pick(i * 5 + 2), pick(i * 3 + 1)];
    const shapes: object[] = [
      { match: { body: `${x} ${y}` } },
      { match: { body: { query: `${x} ${y} ${z}`, operator: 'and' } } },
      { match_phrase: { body: `${x} ${y}` } },
      { simple_query_string: { query: `+${x} -${y} ${z}` } },
      {
        bool: {
          must: [{ match: { title: x } }],
          should: [{ match: { body: y } }, { match: { body: z } }],
          filter: [{ range: { n: { gte: i % 20 } } }],
        },
      },
      { multi_match: { query: `${x} ${z}`, fields: ['title^2', 'body'], tie_breaker: 0.3 } },
      { dis_max: { queries: [{ match: { title: x } }, { match: { body: y } }] } },
      {
        bool: {
          should: [{ term: { 'tag.keyword': `t${i % 7}` } }, { match: { body: x } }],
          must_not: [{ match: { title: z } }],
        },
      },
      { match_all: {} },
      { simple_query_string: { query: `${x.slice(0, 3)}* | "${y} ${z}"` } },
    ];
    return shapes[i % shapes.length] ?? {};
  });

  it('return the same ids and scores as one shard, for 100 queries', async () => {
    for (const [i, query] of queries.entries()) {
      const body = { query, size: i % 3 === 0 ? 50 : 10, from: i % 5 };
      const [one, two] = await Promise.all(['one', 'two'].map((index) => call('POST', `/${index}/_search`, body)));
      const hits = (reply: Reply | undefined): unknown =>
        reply?.body.hits?.hits.map(({ _id, _score }) => [_id, _score]);
      expect(hits(two), JSON.stringify(query)).toEqual(hits(one));
      expect(two?.body.hits?.total).toEqual(one?.body.hits?.total);
    }
  });

  it('sort and page as one shard does, without gaps', async () => {
    const seen: string[] = [];
    let after: unknown[] | undefined;
    for (;;) {
      const body = { size: 70, sort: [{ n: 'desc' }, '_id'], ...(after !== undefined && { search_after: after }) };
      const reply = await client.search({ index: 'two', body: body as never });
      const { hits } = reply.body.hits;
      if (hits.length === 0) break;
      seen.push(...hits.map(({ _id }) => String(_id)));
      after = hits.at(-1)?.sort as unknown[];
    }
    const whole = await client.search({ index: 'one', body: { size: 1000, sort: [{ n: 'desc' }, '_id'] as never } });
    expect(seen).toEqual(whole.body.hits.hits.map(({ _id }) => _id));
  });
});

describe('the official client', () => {
  it('works an index from its creation to its end', async () => {
    expect((await client.info()).body.version.distribution).toBe('opensearch');
    expect((await client.indices.exists({ index: 'books' })).body).toBe(false);
    const mappings = { properties: { year: { type: 'integer' as const }, genre: { type: 'keyword' as const } } };
    await client.indices.create({ index: 'books', body: { settings: { number_of_shards: 2 }, mappings } });
    expect((await client.indices.exists({ index: 'books' })).body).toBe(true);
    await expect(client.indices.create({ index: 'books' })).rejects.toMatchObject({
      body: { error: { type: 'resource_already_exists_exception' } },
    });
    const made = await client.index({ index: 'books', id: 'dune', body: { title: 'Dune', year: 1965, genre: 'sf' } });
    expect(made.body).toMatchObject({ result: 'created', _version: 1 });
    await client.index({
      index: 'books',
      id: 'dune',
      body: { title: 'Dune: the desert planets', year: 1965, genre: 'sf' },
    });
    await expect(client.create({ index: 'books', id: 'dune', body: {} })).rejects.toMatchObject({ statusCode: 409 });
    const got = await client.get({ index: 'books', id: 'dune' });
    expect(got.body).toMatchObject({ _version: 2, found: true, _source: { year: 1965 } });
    await client.update({ index: 'books', id: 'dune', body: { doc: { year: 1966 } } });
    const stale = client.index({
      index: 'books',
      id: 'dune',
      if_seq_no: Number(made.body._seq_no),
      if_primary_term: 1,
      body: {},
    });
    await expect(stale).rejects.toMatchObject({ statusCode: 409 });
    const found = await client.search({
      index: 'books',
      body: {
        query: { match: { title: 'planet' } },
        highlight: { fields: { title: { pre_tags: ['<b>'], post_tags: ['</b>'] } } },
        _source: ['year'],
      },
    });
    expect(found.body.hits.hits[0]).toMatchObject({
      _id: 'dune',
      _source: { year: 1966 },
      highlight: { title: ['Dune: the desert <b>planets</b>'] },
    });
    await client.indices.putMapping({ index: 'books', body: { properties: { pages: { type: 'integer' } } } });
    const mapping = await client.indices.getMapping({ index: 'books' });
    expect(mapping.body['books']?.mappings.properties).toMatchObject({
      pages: { type: 'integer' },
      title: { type: 'text' },
    });
    const many = await client.mget({ index: 'books', body: { ids: ['dune', 'nothing'] } });
    expect(many.body.docs.map((doc) => 'found' in doc && doc.found)).toEqual([true, false]);
    expect((await client.cat.indices({ format: 'json' })).body).toContainEqual(
      expect.objectContaining({ index: 'books', pri: '2', 'docs.count': '1' }),
    );
    expect((await client.cluster.health()).body.status).toBe('green');
    expect((await client.delete({ index: 'books', id: 'dune' })).body).toMatchObject({
      result: 'deleted',
      _version: 4,
    });
    await expect(client.get({ index: 'books', id: 'dune' })).rejects.toMatchObject({ statusCode: 404 });
    await client.indices.delete({ index: 'books' });
    expect((await client.indices.exists({ index: 'books' })).body).toBe(false);
  });
});

describe('an answer', () => {
  it('comes from the cache until a write changes it, and says so', async () => {
    await call('PUT', '/notes/_doc/1', { text: 'winter snow' });
    const search = (): Promise<Reply> => call('GET', '/notes/_search?q=snow');
    expect((await search()).source).toBe('index');
    expect((await search()).source).toBe('cache');
    await call('PUT', '/notes/_doc/2', { text: 'more snow' });
    const after = await search();
    expect(after.source).toBe('index');
    expect(after.body.hits?.hits).toHaveLength(2);
    await call('DELETE', '/notes/_doc/1');
    expect((await search()).body.hits?.hits.map(({ _id }) => _id)).toEqual(['2']);
  });

  it('is partial when a shard is dead, and 503 when all are', async () => {
    await client.bulk({
      index: 'notes',
      body: Array.from({ length: 20 }, (_, i) => [{ index: { _id: `p${i}` } }, { text: 'partial' }]).flat(),
    });
    cluster.member('notes-1').alive = false;
    const partial = await call('GET', '/notes/_search?q=partial&size=20');
    expect(partial.status).toBe(200);
    expect(partial.body['_shards']).toMatchObject({
      total: 2,
      successful: 1,
      failed: 1,
      failures: [{ shard: 1, index: 'notes' }],
    });
    expect(partial.body.hits?.hits.length).toBeGreaterThan(0);
    cluster.member('notes-0').alive = false;
    expect((await call('GET', '/notes/_search?q=partial')).status).toBe(503);
    cluster.member('notes-0').alive = true;
    cluster.member('notes-1').alive = true;
    const whole = await call('GET', '/notes/_search?q=partial&size=20');
    expect(whole.body.hits?.hits).toHaveLength(20);
  });
});

describe('bad input', () => {
  it.each([
    ['a search that is no JSON', 'POST', '/one/_search', '{"query":', 400, 'parse_exception'],
    ['a search that is no object', 'POST', '/one/_search', '[]', 400, 'parsing_exception'],
    ['an unknown query', 'POST', '/one/_search', '{"query":{"fly":{}}}', 400, 'parsing_exception'],
    ['an aggregation', 'POST', '/one/_search', '{"aggs":{}}', 400, 'parsing_exception'],
    ['an unknown parameter', 'GET', '/one/_search?fly=1', undefined, 400, 'illegal_argument_exception'],
    [
      'a value that does not fit its field',
      'POST',
      '/one/_search',
      '{"query":{"term":{"n":"x"}}}',
      400,
      'query_shard_exception',
    ],
    ['an index that nobody provides', 'GET', '/nowhere/_search', undefined, 404, 'index_not_found_exception'],
    ['an index that was not created', 'GET', '/fresh/_search', undefined, 404, 'index_not_found_exception'],
    ['a strange index name', 'PUT', '/A%20B', undefined, 400, 'invalid_index_name_exception'],
    [
      'another number of shards',
      'PUT',
      '/fresh',
      '{"settings":{"number_of_shards":7}}',
      400,
      'illegal_argument_exception',
    ],
    [
      'an unknown field type',
      'PUT',
      '/fresh',
      '{"mappings":{"properties":{"a":{"type":"vector"}}}}',
      400,
      'mapper_parsing_exception',
    ],
    ['a bulk that is no NDJSON', 'POST', '/_bulk', 'garbage\n', 400, 'json_parse_exception'],
    ['a document that is no JSON', 'PUT', '/one/_doc/x', '{no', 400, 'mapper_parsing_exception'],
    ['a document without a body', 'PUT', '/one/_doc/x', undefined, 400, 'parse_exception'],
    ['an unknown path', 'GET', '/one/_fly/away', undefined, 400, 'illegal_argument_exception'],
    ['a malformed escape', 'GET', '/one/_doc/%E0%A4%A', undefined, 400, 'illegal_argument_exception'],
    ['JSON nested very deeply', 'POST', '/one/_search', `{"query":${'['.repeat(200_000)}`, 400, 'parse_exception'],
    [
      'a document nested very deeply',
      'PUT',
      '/one/_doc/x',
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      400,
      'mapper_parsing_exception',
    ],
  ])('is refused by name: %s', async (...[, method, path, body, status, type]) => {
    const reply = await call(method, path, body);
    expect(reply.body.error?.type).toBe(type);
    expect(reply.status).toBe(status);
  });

  it('that is too large is refused: bodies with 413, documents too', async () => {
    expect((await call('POST', '/one/_search', 'x'.repeat(33 * 1024 * 1024))).status).toBe(413);
    expect((await call('PUT', '/one/_doc/x', { text: 'x'.repeat(4 * 1024 * 1024) })).status).toBe(413);
  });

  it('of 10,000 ids at once is answered', async () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `doc-${i}`);
    expect(
      (await call('POST', '/two/_search', { query: { ids: { values: ids } }, size: 0 })).body.hits?.total.value,
    ).toBe(540);
    const many = await call('POST', '/two/_mget', { ids });
    expect(many.body['docs']).toHaveLength(10_000);
  });

  it('from a socket that is closed halfway does no harm', async () => {
    const { port } = new URL(cluster.url);
    for (let i = 0; i < 50; i++) {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write('POST /one/_search HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"query"');
      socket.destroy();
    }
    expect((await call('GET', '/one/_count')).status).toBe(200);
  });
});
