import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, type Bench, raw, startBench, until } from '../testing.ts';

let bench: Bench;
afterEach(() => bench.close());

const get = (path: string, headers: Record<string, string> = {}) => ask(bench.url + path, { headers });

describe('when the origin fails', () => {
  it('answers 502 with the reason when it refuses connections', async () => {
    bench = await startBench(() => {});
    await bench.stopOrigin();
    const answer = await get('/');
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('ECONNREFUSED');
    expect(answer.headers['cache-status']).toBe('edge; fwd=uri-miss; detail=unreachable');
  });

  it('answers 504 when it is silent', async () => {
    bench = await startBench(() => {}, { originLimits: { headersMs: 300 } });
    expect((await get('/')).status).toBe(504);
  });

  it('serves a stale response while it cannot be reached, unless that is forbidden', async () => {
    bench = await startBench((message, response) => {
      const forbidden = message.url === '/strict' ? ', must-revalidate' : '';
      response.writeHead(200, { 'Cache-Control': `max-age=0${forbidden}`, ETag: '"1"' });
      response.end('kept');
    });
    await get('/');
    await get('/strict');
    await bench.stopOrigin();
    const answer = await get('/');
    expect([answer.status, answer.body]).toEqual([200, 'kept']);
    expect(answer.headers['cache-status']).toContain('detail=stale-unreachable');
    expect((await get('/strict')).status).toBe(502);
  });

  it('serves a stale response instead of a 503 when stale-if-error allows it (RFC 5861 section 4)', async () => {
    let status = 200;
    bench = await startBench((message, response) => {
      const allowed = message.url === '/kept' ? ', stale-if-error=60' : '';
      response.writeHead(status, { 'Cache-Control': `max-age=0${allowed}`, ETag: '"1"' });
      response.end('body');
    });
    await get('/kept');
    await get('/not-kept');
    status = 503;
    expect((await get('/kept')).status).toBe(200);
    expect((await get('/not-kept')).status).toBe(503);
  });

  it('cuts the connection when the origin breaks off, and stores nothing', async () => {
    bench = await startBench((_, response) => {
      response.writeHead(200, { 'Content-Length': '100', 'Cache-Control': 'max-age=60' });
      response.write('only this', () => response.destroy());
    });
    await expect(get('/')).rejects.toThrow();
    expect(bench.edge.objects).toBe(0);
    expect(bench.edge.usedBytes).toBe(0);
  });

  it('stops a request that comes back to the edge that sent it', async () => {
    bench = await startBench(() => {});
    bench.edge.reconfigure({
      name: 'edge',
      id: 'edge/test',
      memoryBytes: 1024 * 1024,
      defaultTtl: false,
      policies: [],
      origins: [{ hosts: ['*'], url: bench.url }],
      errorGraceSeconds: 0,
    });
    expect((await get('/')).status).toBe(508);
  });

  it('answers 502 for a host that no origin answers', async () => {
    bench = await startBench(() => {}, { config: { origins: [{ hosts: ['a.example'], url: 'http://127.0.0.1:9' }] } });
    const answer = await get('/', { host: 'b.example' });
    expect([answer.status, answer.body]).toEqual([502, 'Bad Gateway: no origin is configured for this host\n']);
  });
});

describe('large bodies', () => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const chunks = 800;

  it('stream through in bounded memory when a client reads slowly', async () => {
    let sent = 0;
    bench = await startBench(
      (_, response) => {
        response.writeHead(200, { 'Content-Length': String(chunk.length * chunks), 'Cache-Control': 'max-age=60' });
        const write = (): void => {
          while (sent < chunks) {
            sent++;
            if (!response.write(chunk)) {
              response.once('drain', write);
              return;
            }
          }
          response.end();
        };
        write();
      },
      { config: { memoryBytes: 8 * 1024 * 1024 } },
    );
    const socket = connect(bench.port, '127.0.0.1');
    socket.write('GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let received = 0;
    socket.once('readable', () => undefined);
    await until('the origin is held back', async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return sent > 0 && sent === before;
    });
    expect(sent).toBeLessThan(chunks / 2);
    socket.on('data', (data) => (received += data.length));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).toBeGreaterThan(chunk.length * chunks);
    expect(bench.edge.usedBytes).toBe(0);
  });

  it('are kept only up to the limit of their content type', async () => {
    bench = await startBench((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/css', 'Cache-Control': 'max-age=60' });
      response.end('x'.repeat(200 * 1024));
    });
    expect((await get('/a.css')).body).toHaveLength(200 * 1024);
    expect(bench.edge.objects).toBe(0);
    expect(bench.edge.usedBytes).toBe(0);
  });
});

describe('malformed requests', () => {
  const host = 'Host: a\r\n';
  const corpus: readonly (readonly [name: string, bytes: string, status: number])[] = [
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n', 400],
    ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    [
      'length and chunks',
      `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is no number', `POST / HTTP/1.1\r\n${host}Content-Length: 1x\r\n\r\na`, 400],
    ['chunked that is not last', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk size that is none', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['a space before the colon', `GET / HTTP/1.1\r\n${host}X-A : b\r\n\r\n`, 400],
    ['a folded field', `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`, 400],
    ['a bare line feed in a value', `GET / HTTP/1.1\r\n${host}X-A: b\x00c\r\n\r\n`, 400],
    ['an unknown method', `BREW / HTTP/1.1\r\n${host}\r\n`, 400],
    ['a version that does not exist', `GET / HTTP/3.7\r\n${host}\r\n`, 400],
    ['a target with a fragment', `GET /a#b HTTP/1.1\r\n${host}\r\n`, 400],
    ['a target that is a host', `GET example.com HTTP/1.1\r\n${host}\r\n`, 400],
    ['a target that is too long', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`, 414],
    ['a head that is too large', `GET / HTTP/1.1\r\n${host}X-A: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['10,000 fields', `GET / HTTP/1.1\r\n${host}${'X: y\r\n'.repeat(10_000)}\r\n`, 431],
    ['CONNECT', `CONNECT a:443 HTTP/1.1\r\n${host}\r\n`, 405],
  ];

  it('get an error, reach no origin and leave the edge alive', async () => {
    bench = await startBench((_, response) => response.end('alive'));
    for (const [name, bytes, status] of corpus) {
      const answer = await raw(bench.port, bytes, 3_000);
      expect(`${name}: ${answer.slice(9, 12)}`).toBe(`${name}: ${status}`);
    }
    expect(bench.seen).toHaveLength(0);
    expect((await get('/')).body).toBe('alive');
  });

  it('cuts off a client that sends its head too slowly', async () => {
    bench = await startBench((_, response) => response.end('alive'), { server: { headersMs: 500, requestMs: 500 } });
    const answer = await raw(bench.port, 'GET / HTTP/1.1\r\nHost: a\r\n', 8_000);
    expect(answer).toContain('408');
  });

  it('answers a client that has closed its half of the connection', async () => {
    bench = await startBench((_, response) => {
      setTimeout(() => response.end('late'), 100);
    });
    const socket = connect({ port: bench.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(`GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toContain('late');
  });

  it('does not let Connection take away fields that frame a message', async () => {
    bench = await startBench((message, response) => {
      let text = '';
      message.on('data', (data) => (text += data));
      message.on('end', () => response.end(`${text} ${message.headers['x-mine'] ?? 'gone'}`));
    });
    const answer = await ask(`${bench.url}/`, {
      method: 'POST',
      headers: { connection: 'content-length, host, x-mine', 'x-mine': 'here', 'content-length': '3' },
      body: 'abc',
    });
    expect(answer.body).toBe('abc gone');
  });
});
