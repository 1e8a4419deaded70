import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Clock } from '../log/clock.ts';
import { encodeFrame, snapshotRequest, type SnapshotFrame, type SnapshotOpened } from './snapshot-protocol.ts';
import type { Snapshot, StateMachine } from './state-machine.ts';

export interface SnapshotServerOptions {
  readonly nats: NatsConnection;
  readonly subject: string;
  /** Only peers of this set are served. */
  readonly set: string;
  readonly machine: Pick<StateMachine, 'snapshot' | 'position'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Snapshots that are given at the same time. */
const maxOpen = 2;
/** A snapshot of which no chunk is asked for is given up after this time. */
const idleMs = 20_000;

interface Transfer {
  readonly snapshot: Snapshot;
  readonly chunks: AsyncIterator<Uint8Array>;
  /** Index of `last`. */
  index: number;
  last: Uint8Array;
  checksum: number;
  usedAt: number;
  /** Requests of one transfer are answered one after the other. */
  turn: Promise<void>;
}

/** Gives this replica's snapshots to peers, chunk by chunk as they ask: the memory in use is one chunk a transfer. */
export class SnapshotServer {
  readonly #options: SnapshotServerOptions;
  readonly #transfers = new Map<string, Transfer>();
  readonly #sweep: NodeJS.Timeout;
  readonly #subscription: { unsubscribe(): void };
  #opening = 0;

  constructor(options: SnapshotServerOptions) {
    this.#options = options;
    this.#subscription = options.nats.subscribe(options.subject, {
      callback: (error, message) => {
        if (!error) void this.#answer(message);
      },
    });
    this.#sweep = setInterval(() => this.#closeIdle(), idleMs / 4).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    this.#subscription.unsubscribe();
    await Promise.all([...this.#transfers.keys()].map((id) => this.#close(id)));
  }

  async #answer(message: Msg): Promise<void> {
    try {
      message.respond(await this.#handle(message));
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'a snapshot request failed');
      const text = error instanceof Error ? error.message : String(error);
      message.respond(encodeFrame({ kind: 'error', message: text }));
    }
  }

  async #handle(message: Msg): Promise<Uint8Array | string> {
    const request = snapshotRequest.parse(JSON.parse(message.string()));
    switch (request.op) {
      case 'open':
        return JSON.stringify(await this.#open(request.set));
      case 'chunk':
        return this.#chunk(request.id, request.index);
      case 'close':
        await this.#close(request.id);
        return '{}';
    }
  }

  async #open(set: string): Promise<SnapshotOpened> {
    const { machine, clock, logger } = this.#options;
    if (set !== this.#options.set) return { ok: false, message: 'this replica belongs to another set' };
    if (machine.position() === null) return { ok: false, message: 'this store is empty' };
    if (this.#transfers.size + this.#opening >= maxOpen) return { ok: false, message: 'busy with other snapshots' };
    this.#opening += 1;
    try {
      const snapshot = await machine.snapshot();
      const id = randomUUID();
      const chunks = snapshot.chunks[Symbol.asyncIterator]();
      const transfer = { snapshot, chunks, index: -1, last: new Uint8Array(), checksum: 0, usedAt: clock.now() };
      this.#transfers.set(id, { ...transfer, turn: Promise.resolve() });
      logger.info({ id, seq: snapshot.position.seq }, 'giving a snapshot to a peer');
      return { ok: true, id, position: snapshot.position };
    } finally {
      this.#opening -= 1;
    }
  }

  async #chunk(id: string, index: number): Promise<Uint8Array> {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) throw new Error('no such snapshot: it was given up, or this replica was restarted');
    const before = transfer.turn;
    const turn = Promise.withResolvers<void>();
    transfer.turn = turn.promise;
    await before;
    try {
      if (index === transfer.index + 1) await advance(transfer);
      if (index !== transfer.index) throw new Error(`chunk ${index} was asked for, ${transfer.index} is the last`);
      transfer.usedAt = this.#options.clock.now();
      return transfer.last;
    } finally {
      turn.resolve();
    }
  }

  async #close(id: string): Promise<void> {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) return;
    this.#transfers.delete(id);
    await transfer.turn;
    await transfer.chunks.return?.();
    await transfer.snapshot.release();
  }

  #closeIdle(): void {
    const before = this.#options.clock.now() - idleMs;
    for (const [id, transfer] of this.#transfers) {
      if (transfer.usedAt >= before) continue;
      this.#close(id).catch((error: unknown) => this.#options.logger.warn({ err: error }, 'closing a snapshot failed'));
    }
  }
}

async function advance(transfer: Transfer): Promise<void> {
  const next = await transfer.chunks.next();
  const frame: SnapshotFrame = next.done
    ? { kind: 'end', checksum: transfer.checksum }
    : { kind: 'chunk', bytes: next.value };
  if (!next.done) transfer.checksum = crc32(next.value, transfer.checksum);
  transfer.last = encodeFrame(frame);
  transfer.index += 1;
}
