import { crc32 } from 'node:zlib';
import type { NatsConnection } from '@nats-io/nats-core';
import { jittered, type Clock } from '../log/clock.ts';
import { decodeFrame, snapshotOpened, type SnapshotFrame, type SnapshotRequest } from './snapshot-protocol.ts';
import { SnapshotError, type IncomingSnapshot } from './snapshot-source.ts';

export interface SnapshotClientOptions {
  readonly nats: NatsConnection;
  /** The peer's snapshot subject. */
  readonly subject: string;
  readonly set: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const requestMs = 5_000;
/** A peer that is silent for this long is gone. */
const patienceMs = 20_000;
const retryMs = 300;

/** Asks a peer for a snapshot. Rejects, and ends the chunks, with SnapshotError. */
export async function openSnapshot(options: SnapshotClientOptions): Promise<IncomingSnapshot> {
  const reply = await ask(options, { op: 'open', set: options.set });
  const opened = snapshotOpened.safeParse(parseJson(reply));
  if (!opened.success) throw new SnapshotError('damaged', 'the peer answered something else');
  if (!opened.data.ok) throw new SnapshotError('refused', opened.data.message);
  const { id, position } = opened.data;
  return { position, chunks: chunksOf(options, id) };
}

/** The chunks in order; the next is on its way while one is used. */
async function* chunksOf(options: SnapshotClientOptions, id: string): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let next = fetchFrame(options, id, 0);
  try {
    for (let index = 1; ; index++) {
      const frame = await next;
      if (frame.kind === 'error') throw new SnapshotError('peer-gone', frame.message);
      if (frame.kind === 'end') return mustFit(frame.checksum === checksum);
      checksum = crc32(frame.bytes, checksum);
      next = fetchFrame(options, id, index);
      next.catch(() => {
        // Seen when it is awaited, if it ever is.
      });
      yield frame.bytes;
    }
  } finally {
    const close: SnapshotRequest = { op: 'close', id };
    if (!options.nats.isClosed()) options.nats.publish(options.subject, JSON.stringify(close));
  }
}

function mustFit(fits: boolean): void {
  if (!fits) throw new SnapshotError('damaged', 'the checksum of the whole does not fit');
}

async function fetchFrame(options: SnapshotClientOptions, id: string, index: number): Promise<SnapshotFrame> {
  const frame = decodeFrame(await ask(options, { op: 'chunk', id, index }));
  if (frame === null) throw new SnapshotError('damaged', `the checksum of chunk ${index} does not fit`);
  return frame;
}

/** A request that is repeated until the patience ends: any of them may be repeated without harm. */
async function ask(options: SnapshotClientOptions, request: SnapshotRequest): Promise<Uint8Array> {
  const { nats, subject, clock, signal } = options;
  const deadline = clock.now() + patienceMs;
  const payload = JSON.stringify(request);
  for (;;) {
    try {
      signal.throwIfAborted();
      return (await nats.request(subject, payload, { timeout: requestMs })).data;
    } catch (error) {
      if (signal.aborted || clock.now() >= deadline) {
        throw new SnapshotError('peer-gone', 'the peer does not answer', { cause: error });
      }
    }
    await clock.sleep(jittered(clock, retryMs), signal);
  }
}

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  } catch {
    return undefined;
  }
};
