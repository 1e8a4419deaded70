import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, type Bench, type BenchOptions, startBench, until } from '../testing.ts';

let bench: Bench;

const start = async (handler: Parameters<typeof startBench>[0], options?: BenchOptions): Promise<void> => {
  bench = await startBench(handler, options);
};

afterEach(() => bench.close());

const send = (response: ServerResponse, body: string, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'Content-Length': String(Buffer.byteLength(body)), ...headers });
  response.end(body);
};

const get = (path: string, headers: Record<string, string | string[]> = {}) => ask(bench.url + path, { headers });
const cacheStatusOf = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
  (await get(path, headers)).headers['cache-status'];

describe('coalescing', () => {
  it('makes one origin request for 200 concurrent misses', async () => {
    let finish = (): void => {};
    await start((_, response) => {
      finish = () => send(response, 'shared', { 'Cache-Control': 'max-age=60' });
    });
    const asked = Promise.all(Array.from({ length: 200 }, () => get('/page')));
    await until('all have asked', () => bench.arrived === 200 && bench.seen.length === 1);
    finish();
    const answers = await asked;
    expect(answers.every((answer) => answer.status === 200 && answer.body === 'shared')).toBe(true);
    expect(bench.seen).toHaveLength(1);
    expect(answers.filter((answer) => String(answer.headers['cache-status']).includes('collapsed'))).toHaveLength(199);
  });

  it('lets requests that waited for a private response go at once, side by side', async () => {
    const users = Array.from({ length: 20 }, (_, i) => `user-${i}`);
    await start((message, response) => {
      // The first is answered once all others wait for it; then none until all of them have come.
      const isFirst = bench.seen.length === 1;
      const ready = (): boolean => (isFirst ? bench.arrived : bench.seen.length) === users.length;
      void until('all are here', ready).then(() =>
        send(response, `for ${message.headers['x-user']}`, { 'Cache-Control': 'private' }),
      );
    });
    const answers = await Promise.all(users.map((user) => get('/me', { 'x-user': user })));
    expect(answers.map((answer) => answer.body)).toEqual(users.map((user) => `for ${user}`));
    expect(bench.seen).toHaveLength(20);
  });

  it('gives each waiting client the variant that Vary selects', async () => {
    await start((message, response) => {
      const language = message.headers['accept-language'];
      setTimeout(
        () => send(response, `in ${language}`, { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' }),
        100,
      );
    });
    const languages = ['de', 'fr', 'de', 'fr', 'de'];
    const answers = await Promise.all(languages.map((language) => get('/', { 'accept-language': language })));
    expect(answers.map((answer) => answer.body)).toEqual(languages.map((language) => `in ${language}`));
    expect(await cacheStatusOf('/', { 'accept-language': 'FR' })).toContain('hit');
  });

  it('fills the cache when the client that asked first goes away', async () => {
    let finish = (): void => {};
    await start((_, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' });
      response.write('first half, ');
      finish = () => response.end('second half');
    });
    const gone = new AbortController();
    const aborted = fetch(`${bench.url}/page`, { signal: gone.signal }).then((response) => response.text());
    await until('the origin was asked', () => bench.seen.length === 1);
    gone.abort();
    await expect(aborted).rejects.toThrow();
    finish();
    await until('the response is stored', () => bench.edge.objects === 1);
    const answer = await get('/page');
    expect(answer.body).toBe('first half, second half');
    expect(bench.seen).toHaveLength(1);
  });

  it('stops an upload of the origin that nobody reads and nothing keeps', async () => {
    let closed = false;
    await start((_, response) => {
      response.on('close', () => (closed = true));
      response.writeHead(200, { 'Cache-Control': 'no-store' });
      const timer = setInterval(() => response.write('x'.repeat(1000)), 5);
      response.on('close', () => clearInterval(timer));
    });
    const gone = new AbortController();
    const response = await fetch(`${bench.url}/stream`, { signal: gone.signal });
    expect(response.status).toBe(200);
    gone.abort();
    await until('the origin connection is closed', () => closed);
  });
});

describe('ranges from stored responses (RFC 9110 section 14)', () => {
  const fill = async (): Promise<void> => {
    await start((_, response) => send(response, '0123456789', { 'Cache-Control': 'max-age=60', ETag: '"v1"' }));
    await get('/file');
  };

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=20-', 416, '', 'bytes */10'],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('%s is answered with %i', async (range, status, body, contentRange) => {
    await fill();
    const answer = await get('/file', { range });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([status, body, contentRange]);
    expect(bench.seen).toHaveLength(1);
  });

  it('answers several ranges with multipart/byteranges', async () => {
    await fill();
    const answer = await get('/file', { range: 'bytes=0-1,8-9' });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-type']).toMatch(/^multipart\/byteranges; boundary=/);
    expect(answer.body).toMatch(
      /Content-Range: bytes 0-1\/10\r\n\r\n01\r\n--[\s\S]*Content-Range: bytes 8-9\/10\r\n\r\n89\r\n--/,
    );
    expect(Number(answer.headers['content-length'])).toBe(answer.body.length);
  });

  it('sends the whole when If-Range names another version', async () => {
    await fill();
    expect((await get('/file', { range: 'bytes=0-1', 'if-range': '"v0"' })).status).toBe(200);
    expect((await get('/file', { range: 'bytes=0-1', 'if-range': '"v1"' })).status).toBe(206);
  });

  it('stores a part and answers ranges inside it', async () => {
    await start((_, response) => {
      response.writeHead(206, {
        'Content-Range': 'bytes 10-14/100',
        'Content-Length': '5',
        'Cache-Control': 'max-age=60',
      });
      response.end('abcde');
    });
    await get('/big', { range: 'bytes=10-14' });
    const answer = await get('/big', { range: 'bytes=11-12' });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([206, 'bc', 'bytes 11-12/100']);
    expect(bench.seen).toHaveLength(1);
  });
});

describe('HEAD', () => {
  it('is answered from a stored GET, without a body', async () => {
    await start((_, response) => send(response, 'body', { 'Cache-Control': 'max-age=60' }));
    await get('/');
    const answer = await ask(`${bench.url}/`, { method: 'HEAD' });
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([200, '', '4']);
    expect(bench.seen).toHaveLength(1);
  });

  it('shows that a stored response is out of date (RFC 9111 section 4.3.5)', async () => {
    let version = '"1"';
    await start((_, response) => send(response, version, { 'Cache-Control': 'max-age=60', ETag: version }));
    await get('/');
    version = '"2"';
    await ask(`${bench.url}/`, { method: 'HEAD', headers: { 'cache-control': 'no-cache' } });
    expect((await get('/')).body).toBe('"2"');
  });
});

describe('validation', () => {
  it('asks with the stored validator and serves the stored body on 304', async () => {
    await start((message, response) => {
      if (message.headers['if-none-match'] !== '"v1"') {
        send(response, 'the body', { 'Cache-Control': 'no-cache', ETag: '"v1"', 'X-Turn': '1' });
        return;
      }
      response.writeHead(304, { ETag: '"v1"', 'Cache-Control': 'no-cache', 'X-Turn': '2' });
      response.end();
    });
    await get('/');
    const answer = await get('/');
    expect([answer.status, answer.body, answer.headers['x-turn']]).toEqual([200, 'the body', '2']);
    expect(answer.headers['cache-status']).toBe('edge; fwd=stale; fwd-status=304');
  });

  it('asks anew when a 304 names another version than the stored one', async () => {
    await start((message, response) => {
      if (message.headers['if-none-match'] === undefined) {
        send(response, `${bench.seen.length}`, { 'Cache-Control': 'no-cache', ETag: '"v1"' });
        return;
      }
      response.writeHead(304, { ETag: '"v9"' });
      response.end();
    });
    await get('/');
    expect((await get('/')).body).toBe('3');
  });

  it('answers 304 to a client that holds what the origin sends in full', async () => {
    await start((_, response) => send(response, 'body', { 'Cache-Control': 'max-age=60', ETag: '"v1"' }));
    const miss = await get('/', { 'if-none-match': '"v1"' });
    expect([miss.status, miss.body]).toEqual([304, '']);
    await until('the response is stored', () => bench.edge.objects === 1);
    const hit = await get('/', { 'if-none-match': 'W/"v1"' });
    expect([hit.status, hit.headers['etag'], hit.headers['content-length']]).toEqual([304, '"v1"', undefined]);
    expect(bench.seen).toHaveLength(1);
  });

  it('serves stale while it revalidates, once, in the background (RFC 5861 section 3)', async () => {
    let body = 'old';
    await start((_, response) => {
      const now = body;
      const answer = () => send(response, now, { 'Cache-Control': 'max-age=0, stale-while-revalidate=60' });
      setTimeout(answer, bench.seen.length > 1 ? 500 : 0);
    });
    await get('/');
    body = 'new';
    const answers = await Promise.all(Array.from({ length: 10 }, () => get('/')));
    expect(answers.every((answer) => answer.body === 'old')).toBe(true);
    expect(bench.seen).toHaveLength(2);
    await until('the new one is stored', async () => (await get('/')).body === 'new');
  });
});

describe('unsafe methods', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    '%s invalidates what is stored (RFC 9111 section 4.4)',
    async (method) => {
      await start((_, response) => send(response, `${bench.seen.length}`, { 'Cache-Control': 'max-age=60' }));
      await get('/thing');
      expect((await ask(`${bench.url}/thing`, { method, body: 'x', headers: { 'content-length': '1' } })).body).toBe(
        '2',
      );
      expect((await get('/thing')).body).toBe('3');
    },
  );

  it('keep a response that was under way out of the cache', async () => {
    let finish = (): void => {};
    await start((message, response) => {
      if (message.method === 'POST') send(response, 'changed');
      else finish = () => send(response, `${bench.seen.length}`, { 'Cache-Control': 'max-age=60' });
    });
    const early = get('/thing');
    await until('the origin was asked', () => bench.seen.length === 1);
    await ask(`${bench.url}/thing`, { method: 'POST', body: 'x' });
    finish();
    await early;
    expect(bench.edge.objects).toBe(0);
  });

  it('pass the body of the request on as it is', async () => {
    await start((message, response) => {
      let text = '';
      message.on('data', (chunk) => (text += chunk));
      message.on('end', () => send(response, text.toUpperCase()));
    });
    const body = 'abc'.repeat(100_000);
    expect((await ask(`${bench.url}/`, { method: 'POST', body })).body).toBe(body.toUpperCase());
  });
});

describe('purges', () => {
  const held = async (headers: Record<string, string>, purge: () => void): Promise<void> => {
    let finish = (): void => {};
    await start((_, response) => {
      finish = () => send(response, 'old', { 'Cache-Control': 'public, max-age=60', 'Cache-Tag': 'a, b' });
    });
    const early = get('/page', headers);
    await until('the origin was asked', () => bench.seen.length === 1);
    purge();
    finish();
    await early;
    expect(bench.edge.objects).toBe(0);
  };

  it('keep a response that was under way out of the cache', () =>
    held({}, () => bench.edge.purge({ keys: [`127.0.0.1:${bench.port}/page`], prefixes: [], tags: [] })));

  it('do so for a request that nobody could join', () =>
    held({ authorization: 'x' }, () => bench.edge.purge({ keys: [], prefixes: ['127.0.0.1'], tags: [] })));

  it('do so for tags, which nobody knows yet', () =>
    held({}, () => bench.edge.purge({ keys: [], prefixes: [], tags: ['b'] })));

  it('have everything validated when some may have been missed', async () => {
    await start((message, response) => {
      if (message.headers['if-none-match'] === undefined)
        send(response, 'x', { 'Cache-Control': 'max-age=60', ETag: '"1"' });
      else response.writeHead(304, { ETag: '"1"', 'Cache-Control': 'max-age=60' }).end();
    });
    await get('/');
    expect(await cacheStatusOf('/')).toContain('hit');
    bench.edge.expireAll(Date.now() + 1);
    expect(await cacheStatusOf('/')).toContain('fwd=stale; fwd-status=304');
    await until('what was validated counts again', async () => String(await cacheStatusOf('/')).includes('hit'));
  });
});

describe('memory', () => {
  it('stays within its bound under a storm of misses, bodies on their way in included', async () => {
    const memoryBytes = 1024 * 1024;
    let most = 0;
    await start(
      (_, response) => {
        response.writeHead(200, { 'Cache-Control': 'max-age=60' });
        for (let i = 0; i < 4; i++) response.write('x'.repeat(50_000));
        response.end();
      },
      { config: { memoryBytes } },
    );
    const watch = setInterval(() => (most = Math.max(most, bench.edge.usedBytes)), 1);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => get(`/${i}`)));
    clearInterval(watch);
    expect(answers.every((answer) => answer.status === 200 && answer.body.length === 200_000)).toBe(true);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(memoryBytes);
    expect(bench.edge.objects).toBeGreaterThan(0);
  });
});

describe('a 304 that takes permission back', () => {
  it('is obeyed: what it is about is stored no longer', async () => {
    await start((message, response) => {
      if (message.headers['if-none-match'] === undefined)
        send(response, 'x', { 'Cache-Control': 'no-cache', ETag: '"1"' });
      else response.writeHead(304, { ETag: '"1"', 'Cache-Control': 'no-store' }).end();
    });
    await get('/');
    expect((await get('/')).body).toBe('x');
    expect(bench.edge.objects).toBe(0);
  });
});
