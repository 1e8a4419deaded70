import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, listen } from '../serve/http-server.ts';
import { ask } from '../testing.ts';
import { loadContent } from './content.ts';
import { Site } from './site.ts';

let server: Server;
let url = '';

beforeAll(async () => {
  const site = new Site(await loadContent(fileURLToPath(new URL('content/', import.meta.url))));
  server = createHttpServer((message, response) => site.handle(message, response));
  url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the sample site', () => {
  it.each([
    ['/', 200, 'text/html', /max-age=60/],
    ['/style.css', 200, 'text/css', undefined],
    ['/app.js', 200, 'text/javascript', /max-age=86400/],
    ['/images/coast.svg', 200, 'image/svg+xml', /immutable/],
    ['/api/me', 200, 'application/json', /private/],
    ['/nowhere', 404, 'text/html', /max-age=30/],
    ['/../../package.json', 404, 'text/html', /max-age=30/],
  ])('%s', async (...[path, status, type, cacheControl]) => {
    const answer = await ask(url + path);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain(type);
    if (cacheControl === undefined) expect(answer.headers['cache-control']).toBeUndefined();
    else expect(answer.headers['cache-control']).toMatch(cacheControl);
  });

  it('links only to what it has', async () => {
    for (const page of ['/', '/keepers.html', '/signals.html', '/404.html']) {
      const { body } = await ask(url + page);
      for (const [, link = ''] of body.matchAll(/(?:href|src|data-path)="(\/[^"]*)"/g)) {
        expect(`${link} ${(await ask(url + link)).status}`).toBe(`${link} 200`);
      }
    }
  });

  it('answers 304 to its own validators', async () => {
    const { headers } = await ask(`${url}/`);
    const again = await ask(`${url}/`, { headers: { 'if-none-match': String(headers['etag']) } });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  it('serves the download in ranges', async () => {
    const answer = await ask(`${url}/downloads/large.bin`, { headers: { range: 'bytes=65530-65541' } });
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'bytes 65530-65541/67108864']);
    expect([...Buffer.from(answer.body, 'latin1')]).toEqual([19, 20, 21, 22, 23, 24, 0, 1, 2, 3, 4, 5]);
  });

  it('keeps notes', async () => {
    expect((await ask(`${url}/api/notes`, { method: 'POST', body: 'a ship' })).status).toBe(201);
    expect(JSON.parse((await ask(`${url}/api/notes`)).body)).toEqual({ notes: ['a ship'] });
  });
});
