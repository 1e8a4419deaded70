import { Readable } from 'node:stream';
import { array, assert, asyncProperty, nat, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WatchEvent } from './client.ts';
import { fakeClock } from './fake-clock.ts';
import type { KubeObject } from './object.ts';
import { lines, parseWatchLine, watchEvents } from './watch-stream.ts';

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
};
const chunked = async function* (bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = 1 + (sizes[turn % Math.max(1, sizes.length)] ?? 0);
    yield bytes.subarray(at, at + size);
    at += size;
  }
};

describe('lines', () => {
  test('are the same however the bytes arrive', async () => {
    await assert(
      asyncProperty(array(string({ unit: 'grapheme' })), array(nat(7)), async (texts, sizes) => {
        const clean = texts.map((text) => text.replaceAll('\n', ''));
        const bytes = Buffer.from(clean.map((text) => `${text}\n`).join(''));
        expect(await collect(lines(chunked(bytes, sizes)))).toEqual(clean);
      }),
    );
  });

  test('an unfinished last one is dropped; one that is too long is an error', async () => {
    expect(await collect(lines(chunked(Buffer.from('a\nb'), [0])))).toEqual(['a']);
    await expect(collect(lines(chunked(Buffer.alloc(100), [9]), 50))).rejects.toMatchObject({ code: 'bad-answer' });
  });
});

describe('a line of a watch', () => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', resourceVersion: '7' } };

  test.each(['ADDED', 'MODIFIED', 'DELETED'])('%s carries its object', (type) => {
    expect(parseWatchLine(JSON.stringify({ type, object }))).toEqual({ type, object });
  });

  test('a bookmark carries its version', () => {
    expect(parseWatchLine(JSON.stringify({ type: 'BOOKMARK', object }))).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '7',
    });
  });

  test.each([
    [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }, 'gone'],
    [{ type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError', message: 'x' } }, 'unavailable'],
    [{ type: 'ERROR' }, 'unavailable'],
    [{ type: 'NEWS', object }, 'bad-answer'],
    [{}, 'bad-answer'],
  ])('%j is the error %s', (line, code) => {
    expect(() => parseWatchLine(JSON.stringify(line))).toThrow(expect.objectContaining({ name: 'KubeError', code }));
  });

  test('what is no JSON is an error too', () => {
    expect(() => parseWatchLine('<html>')).toThrow(expect.objectContaining({ code: 'bad-answer' }));
  });
});

describe('the events of a stream', () => {
  const bookmark = (version: string): string =>
    `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } })}\n`;
  const read = (body: Readable, clock = fakeClock()) => {
    const events: WatchEvent<KubeObject>[] = [];
    const end = (async () => {
      for await (const event of watchEvents(body, 1_000, clock)) events.push(event);
    })();
    end.catch(() => undefined);
    return { events, end, clock };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('end when the server ends it', async () => {
    const { events, end } = read(Readable.from([Buffer.from(bookmark('1')), Buffer.from(bookmark('2'))]));
    await end;
    expect(events).toHaveLength(2);
  });

  test('break with `timeout` after silence, each byte counting as life', async () => {
    const body = new Readable({ read: () => undefined });
    const { events, end, clock } = read(body);
    for (let i = 0; i < 5; i += 1) {
      await turn();
      await clock.advance(900);
      body.push(bookmark(String(i)));
    }
    await turn();
    expect(events).toHaveLength(5);
    await clock.advance(1_001);
    await expect(end).rejects.toMatchObject({ code: 'timeout' });
    expect([body.destroyed, clock.pending]).toEqual([true, 0]);
  });

  test('break with `unavailable` when the connection does', async () => {
    const body = new Readable({ read: () => undefined });
    const { end } = read(body);
    await turn();
    body.destroy(new Error('ECONNRESET'));
    await expect(end).rejects.toMatchObject({ code: 'unavailable' });
  });
});
