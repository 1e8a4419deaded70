import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type EdgeRequest, readRequest } from './edge-request.ts';

const message = (url: string, rawHeaders: string[], method = 'GET'): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { url, method, rawHeaders });

const read = (url: string, rawHeaders: string[]): EdgeRequest => {
  const request = readRequest(message(url, rawHeaders));
  if ('refused' in request) throw new Error(request.refused);
  return request;
};

describe('requests', () => {
  it.each([
    ['/a?b=1', ['Host', 'Example.com'], 'example.com/a?b=1'],
    ['/a', ['Host', 'example.com:80'], 'example.com/a'],
    ['/a', ['Host', 'example.com:8080'], 'example.com:8080/a'],
    ['http://other.example/a?b', ['Host', 'example.com'], 'other.example/a?b'],
  ])('%s with %j has the key %s', (url, headers, key) => {
    expect(read(url, headers).key).toBe(key);
  });

  it('are read in one pass, whatever the case, with lines joined', () => {
    const request = read('/', [
      'Host',
      'a',
      'cache-CONTROL',
      'no-cache',
      'Cache-Control',
      'max-age=5',
      'If-None-Match',
      '"a"',
      'if-none-match',
      '"b"',
    ]);
    expect(request.directives).toMatchObject({ noCache: true, maxAge: 5 });
    expect(request.ifNoneMatch).toBe('"a", "b"');
  });

  it.each([
    ['/', ['Host', 'a', 'Host', 'a'], 400],
    ['/', ['Host', 'a b'], 400],
    ['/', [], 400],
    ['nowhere', ['Host', 'a'], 400],
    ['http://user@a/', ['Host', 'a'], 400],
    [`/${'x'.repeat(8192)}`, ['Host', 'a'], 414],
    ['/', ['Host', 'a', ...Array.from({ length: 600 }, () => 'x')], 431],
  ])('%.20s with %.40j is refused', (url, headers, status) => {
    expect(readRequest(message(url, headers))).toMatchObject({ status });
  });
});
