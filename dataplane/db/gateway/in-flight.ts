import { batchedSize } from '../batch/request-batch.ts';
import type { Submitted } from './request.ts';

/** A request on its way through a link. */
export interface Outgoing extends Submitted {
  /** Of the last time that it was sent; 0 before the first. */
  id: number;
  /** Of a reply that comes in several messages. */
  parts: Buffer[] | null;
  /** The shard said that the keys are not in its range. */
  moved: boolean;
  /** It is to be planned anew. */
  apart: boolean;
}

const maxBatchBytes = 1024 * 1024;
const maxRequests = 65_536;
const maxBytes = 32 * 1024 * 1024;

/** What one link has sent and has no answer to yet. Ids grow with the order in which requests are sent. */
export class InFlight {
  readonly #requests = new Map<number, Outgoing>();
  /** First and last id of each batch. */
  readonly #batches = new Map<number, readonly [first: number, last: number]>();
  #bytes = 0;
  #nextId = 1;
  #nextBatch = 1;

  get size(): number {
    return this.#requests.size;
  }

  /** Id of the request that is sent next: all that is in flight has a lower one. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Whether more may be in flight. */
  get hasRoom(): boolean {
    return this.#requests.size < maxRequests && this.#bytes < maxBytes;
  }

  /** Whether all requests before an id are answered. */
  isOver(before: number): boolean {
    const [oldest = before] = this.#requests.keys();
    return oldest >= before;
  }

  get(id: number): Outgoing | undefined {
    return this.#requests.get(id);
  }

  /** In the order in which they were sent; one that lands meanwhile is left out. */
  all(): Iterable<Outgoing> {
    return this.#requests.values();
  }

  /** Numbers the requests of a batch; answers the batch's own number. */
  add(batch: readonly Outgoing[]): number {
    const first = this.#nextId;
    for (const outgoing of batch) {
      outgoing.id = this.#nextId++;
      this.#requests.set(outgoing.id, outgoing);
      this.#bytes += outgoing.request.payload.length;
    }
    this.#batches.set(this.#nextBatch, [first, this.#nextId - 1]);
    return this.#nextBatch++;
  }

  /** Those of a batch that have no answer. */
  *ofBatch(number: number): Iterable<Outgoing> {
    const [first, last] = this.#batches.get(number) ?? [0, -1];
    for (let id = first; id <= last; id++) {
      const outgoing = this.#requests.get(id);
      if (outgoing) yield outgoing;
    }
  }

  /** It is not in flight any more. */
  land(outgoing: Outgoing): void {
    this.#requests.delete(outgoing.id);
    this.#bytes -= outgoing.request.payload.length;
    if (this.#requests.size === 0) this.#batches.clear();
  }
}

/** How many from the head of a queue go into one batch: one at least. */
export const batchLength = (queue: readonly Outgoing[]): number => {
  let bytes = 0;
  const end = queue.findIndex(({ request }, index) => {
    bytes += batchedSize(request.payload);
    return index > 0 && bytes > maxBatchBytes;
  });
  return end === -1 ? queue.length : end;
};
