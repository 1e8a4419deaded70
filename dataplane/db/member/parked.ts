import type { BatchedRequest } from '../batch/request-batch.ts';
import type { Requester } from './requester.ts';

/** A request that waits for a lock, or behind one that does. */
export interface ParkedRequest extends BatchedRequest {
  readonly epoch: number;
  /** When it was parked first (monotonic, milliseconds). */
  readonly since: number;
  /** It waits for the locks of the whole shard. */
  readonly all: boolean;
}

/** Waits no longer than this, milliseconds; longer than recovery takes, shorter than gateways wait. */
export const maxParkedMs = 5_000;

/** Requests that wait for locks, in the order of their gateways. Their number is bounded by what gateways keep in flight. */
export class Parked {
  readonly #queues = new Map<Requester, ParkedRequest[]>();

  get size(): number {
    let sum = 0;
    for (const queue of this.#queues.values()) sum += queue.length;
    return sum;
  }

  /** Whether something of a gateway waits: all that follows waits behind it. */
  has(from: Requester): boolean {
    return this.#queues.has(from);
  }

  add(from: Requester, request: ParkedRequest): void {
    const queue = this.#queues.get(from);
    if (queue) queue.push(request);
    else this.#queues.set(from, [request]);
  }

  /** Gives everything out; what still has to wait is to be added again. */
  take(): [Requester, ParkedRequest[]][] {
    const queues = [...this.#queues];
    this.#queues.clear();
    return queues;
  }
}
