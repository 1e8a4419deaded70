import type { Readable } from 'node:stream';
import { type Clock, systemClock } from './clock.ts';
import type { WatchEvent } from './client.ts';
import { type ApiStatus, errorFromStatus, KubeError } from './kube-error.ts';
import type { KubeObject } from './object.ts';

/** One event may not be larger than this, bytes: etcd itself refuses objects over 1.5 MiB. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** Splits a byte stream into lines without their newline. An unfinished last line is dropped. */
export async function* lines(chunks: AsyncIterable<Buffer>, maxBytes: number = MAX_LINE_BYTES): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, at));
      yield (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString('utf8');
      parts = [];
      size = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxBytes) throw new KubeError('bad-answer', `a watch event is larger than ${maxBytes} bytes`);
  }
}

/** Reads one line of a watch. Throws KubeError for an ERROR event, 'gone' among them, and for what is no event. */
export function parseWatchLine<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { type?: string; object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    throw new KubeError('bad-answer', 'a watch event is not JSON', { cause });
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object as T };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: (event.object as T).metadata.resourceVersion ?? '' };
    case 'ERROR': {
      const status = (event.object ?? {}) as ApiStatus;
      throw errorFromStatus(status.code ?? 500, status);
    }
    default:
      throw new KubeError('bad-answer', `a watch event of unknown type ${String(event.type)}`);
  }
}

/** The events of a watch's body. Throws KubeError 'timeout' when nothing came for `quietMs`, 'unavailable' when it breaks. */
export async function* watchEvents<T extends KubeObject>(
  body: Readable,
  quietMs: number,
  clock: Clock = systemClock,
): AsyncGenerator<WatchEvent<T>> {
  try {
    for await (const line of lines(heard(body, quietMs, clock))) yield parseWatchLine<T>(line);
  } catch (cause) {
    if (cause instanceof KubeError) throw cause;
    throw new KubeError('unavailable', 'a watch broke', { cause });
  } finally {
    body.destroy();
  }
}

/** Passes chunks on; breaks the stream when none came for `quietMs`. */
async function* heard(body: Readable, quietMs: number, clock: Clock): AsyncGenerator<Buffer> {
  const giveUp = (): void =>
    void body.destroy(new KubeError('timeout', `a watch was silent for ${Math.round(quietMs)} ms`));
  let cancel = clock.timer(quietMs, giveUp);
  try {
    for await (const chunk of body) {
      cancel();
      cancel = clock.timer(quietMs, giveUp);
      yield chunk as Buffer;
    }
  } finally {
    cancel();
  }
}
