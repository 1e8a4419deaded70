import type { IncomingMessage, ServerResponse } from 'node:http';
import { isNotModified } from '../policy/preconditions.ts';
import { contentRange, evaluateRange } from '../policy/ranges.ts';
import type { Page } from './content.ts';
import { largeFile, largeFileBytes } from './large-file.ts';

const started = new Date(Date.now() - 1000).toUTCString();

type Route = (message: IncomingMessage, response: ServerResponse, url: URL) => void;

const sendJson = (response: ServerResponse, value: unknown, headers: Record<string, string>): void => {
  const body = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.byteLength, ...headers });
  response.end(body);
};

const sendText = (
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void => {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.byteLength,
    ...headers,
  });
  response.end(body);
};

const greetings: Readonly<Record<string, string>> = { en: 'Hello', de: 'Hallo', fr: 'Bonjour', ja: 'こんにちは' };

/** A site of pages in memory and a few resources that are made as they are asked for. */
export class Site {
  private readonly pages: ReadonlyMap<string, Page>;
  private readonly notes: string[] = [];
  private requests = 0;

  private readonly routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    // Fresh for two seconds: shows misses, hits and validation while you watch.
    ['/api/time', (_, response) => this.sendTime(response)],
    // For one person: shared caches leave it alone.
    ['/api/me', (message, response) => this.sendMe(message, response)],
    // One URL, several answers.
    ['/api/greeting', (message, response) => this.sendGreeting(message, response)],
    // Changed by POST, which invalidates what caches hold of it.
    ['/api/notes', (message, response) => this.serveNotes(message, response)],
    // How often the origin was really asked.
    [
      '/api/requests',
      (_, response) => sendJson(response, { requests: this.requests }, { 'Cache-Control': 'no-store' }),
    ],
    // A slow answer: what coalescing is for.
    ['/api/slow', (_, response) => void setTimeout(() => this.sendTime(response), 300).unref()],
    ['/downloads/large.bin', (message, response) => this.sendLarge(message, response)],
  ]);

  constructor(pages: ReadonlyMap<string, Page>) {
    this.pages = pages;
  }

  handle(message: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const url = URL.parse(message.url ?? '/', 'http://site');
    const route = url === null ? undefined : this.routes.get(url.pathname);
    if (url !== null && route !== undefined) {
      route(message, response, url);
      return;
    }
    const page = url === null ? undefined : this.pages.get(url.pathname);
    if (page === undefined) this.sendNotFound(response);
    else if (message.method === 'GET' || message.method === 'HEAD') this.sendPage(message, response, page);
    else sendText(response, 405, 'only GET and HEAD\n', { Allow: 'GET, HEAD' });
  }

  private sendPage(message: IncomingMessage, response: ServerResponse, page: Page): void {
    const headers: Record<string, string | number> = {
      ETag: page.etag,
      'Last-Modified': page.lastModified,
      'Cache-Tag': page.tags,
      ...(page.cacheControl === undefined ? {} : { 'Cache-Control': page.cacheControl }),
    };
    const known = isNotModified(
      { ifNoneMatch: message.headers['if-none-match'], ifModifiedSince: message.headers['if-modified-since'] },
      { status: 200, fields: [], etag: page.etag, lastModified: page.lastModified, responseTime: Date.now() },
    );
    if (known) {
      response.writeHead(304, headers);
      response.end();
      return;
    }
    headers['Content-Type'] = page.contentType;
    headers['Content-Length'] = page.body.byteLength;
    response.writeHead(200, headers);
    response.end(message.method === 'HEAD' ? undefined : page.body);
  }

  private sendTime(response: ServerResponse): void {
    sendJson(response, { now: new Date().toISOString() }, { 'Cache-Control': 'public, max-age=2' });
  }

  private sendMe(message: IncomingMessage, response: ServerResponse): void {
    const via = message.headers['x-forwarded-for'] ?? message.socket.remoteAddress;
    sendJson(response, { you: via }, { 'Cache-Control': 'private, no-store' });
  }

  private sendGreeting(message: IncomingMessage, response: ServerResponse): void {
    const wanted = /^([a-z]{2})/i.exec(message.headers['accept-language'] ?? 'en')?.[1]?.toLowerCase() ?? 'en';
    const language = wanted in greetings ? wanted : 'en';
    sendJson(
      response,
      { greeting: greetings[language] },
      { 'Cache-Control': 'public, max-age=300', Vary: 'Accept-Language', 'Content-Language': language },
    );
  }

  private serveNotes(message: IncomingMessage, response: ServerResponse): void {
    if (message.method !== 'POST') {
      sendJson(response, { notes: this.notes }, { 'Cache-Control': 'public, max-age=600' });
      return;
    }
    let text = '';
    message.setEncoding('utf8');
    message.on('data', (chunk: string) => {
      if (text.length < 1000) text += chunk;
    });
    message.on('end', () => {
      this.notes.push(text.slice(0, 1000));
      if (this.notes.length > 100) this.notes.shift();
      sendText(response, 201, 'noted\n', { Location: '/api/notes' });
    });
  }

  private sendLarge(message: IncomingMessage, response: ServerResponse): void {
    const headers: Record<string, string> = {
      'Content-Type': 'application/octet-stream',
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'public, max-age=86400',
      ETag: '"large-1"',
      'Last-Modified': started,
    };
    const outcome = evaluateRange(message.headers.range ?? '', largeFileBytes);
    if (outcome.kind === 'unsatisfiable') {
      response.writeHead(416, { ...headers, 'Content-Range': `bytes */${largeFileBytes}`, 'Content-Length': '0' });
      response.end();
      return;
    }
    const one = outcome.kind === 'parts' && outcome.ranges.length === 1 ? outcome.ranges[0] : undefined;
    const range = one ?? { first: 0, last: largeFileBytes - 1 };
    headers['Content-Length'] = String(range.last - range.first + 1);
    if (one !== undefined) headers['Content-Range'] = contentRange(one, largeFileBytes);
    response.writeHead(one === undefined ? 200 : 206, headers);
    if (message.method === 'HEAD') response.end();
    else largeFile(range).pipe(response);
  }

  private sendNotFound(response: ServerResponse): void {
    const page = this.pages.get('/404.html');
    const body = page?.body ?? Buffer.from('Not Found\n');
    response.writeHead(404, {
      'Content-Type': page?.contentType ?? 'text/plain',
      'Content-Length': body.byteLength,
      'Cache-Control': 'public, max-age=30',
    });
    response.end(body);
  }
}
