import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseStandalone } from '../standalone.ts';
import { originFor } from './edge-config.ts';
import { type EdgeRequest, readRequest } from './edge-request.ts';
import { forwardFields, isLoop } from './forward-fields.ts';
import { LoadMeter } from './load-meter.ts';
import { PassList } from './pass-list.ts';

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

describe('the origin of a host', () => {
  const origins = [
    { hosts: ['a.example'], url: 'exact' },
    { hosts: ['*.example'], url: 'suffix' },
    { hosts: ['b.test:8080'], url: 'port' },
    { hosts: ['*'], url: 'any' },
  ];
  it.each([
    ['a.example', 'exact'],
    ['A.Example:8080', 'exact'],
    ['x.example', 'suffix'],
    ['b.test:8080', 'port'],
    ['b.test', 'any'],
  ])('%s: %s', (host, url) => {
    expect(originFor(origins, host)).toBe(url);
  });

  it('may be nobody', () => {
    expect(originFor(origins.slice(0, 1), 'b.example')).toBeUndefined();
  });
});

describe('fields on their way to the origin', () => {
  const options = {
    via: 'edge',
    clientAddress: '192.0.2.1',
    without: new Set(['range']),
    extra: ['If-None-Match', '"1"'],
  };

  it('name this hop and the client, and leave out what was said', () => {
    const request = read('/', [
      'Host',
      'a',
      'Range',
      'bytes=0-1',
      'X',
      '1',
      'Via',
      '1.1 b',
      'X-Forwarded-For',
      '198.51.100.1',
    ]);
    const kept = ['Host', 'a', 'X', '1', 'If-None-Match', '"1"'];
    const own = ['Via', '1.1 b, 1.1 edge', 'X-Forwarded-For', '198.51.100.1, 192.0.2.1'];
    expect(forwardFields(request, options)).toEqual([...kept, ...own]);
  });

  it.each([
    [['Via', '1.1 a, 1.1 edge'], true],
    [['Via', '1.1 edge-2'], false],
    [[], false],
  ])('%j passed here before: %s', (fields, expected) => {
    expect(isLoop(fields, 'edge')).toBe(expected);
  });
});

describe('load', () => {
  it('is that of the last whole seconds', () => {
    const meter = new LoadMeter();
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 10; i++) meter.count(second * 1000 + i, i < 8, 125_000);
    }
    expect(meter.figures(5000)).toEqual({ requestsPerSecond: 10, mbitPerSecond: 10, hitRate: 0.8 });
    expect(meter.figures(8000).requestsPerSecond).toBe(4);
    expect(meter.figures(60_000)).toEqual({ requestsPerSecond: 0, mbitPerSecond: 0, hitRate: 0 });
    expect(meter.totals).toEqual({ requests: 50, hits: 40 });
  });
});

describe('keys that are passed on', () => {
  it('are remembered for a minute, and not without bound', () => {
    const passes = new PassList();
    passes.add('a', 0);
    expect([passes.has('a', 59_999), passes.has('a', 60_000), passes.has('b', 0)]).toEqual([true, false, false]);
    passes.add('first', 0);
    for (let i = 0; i < 8192; i++) passes.add(`k${i}`, 0);
    expect(passes.has('first', 0)).toBe(false);
  });
});

describe('the command line of an edge that runs alone', () => {
  it('says where to listen and whom to ask', () => {
    const { host, port, config } = parseStandalone([
      '--listen',
      '127.0.0.1:8002',
      '--origin',
      'http://127.0.0.1:8000/',
    ]);
    expect([host, port, config.origins, config.defaultTtl]).toEqual([
      '127.0.0.1',
      8002,
      [{ hosts: ['*'], url: 'http://127.0.0.1:8000' }],
      false,
    ]);
  });

  it.each([
    [['--listen', 'x', '--origin', 'http://a'], '--listen'],
    [['--origin', 'ftp://a'], '--origin'],
    [[], '--origin'],
    [['--origin', 'http://a', '--memory', '0'], '--memory'],
  ])('%j is refused by name', (argv, name) => {
    expect(() => parseStandalone(argv)).toThrow(name);
  });
});
