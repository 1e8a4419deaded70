/** Who waits for a reply. */
export interface Waiter {
  /**
   * Called once, with the reply in RESP. `sequence` is the state of the shard's log that it reflects; 0 when the shard
   * did not answer and the reply is an error of the gateway.
   */
  answer(reply: Buffer, sequence: number): void;
}

/** One request to one shard. */
export interface ShardRequest {
  /** Bits of `requestKind`. */
  readonly kind: number;
  readonly payload: Buffer;
  /** Whether it may change something: then an unknown outcome is an error, never a reason to send it again. */
  readonly writes: boolean;
  readonly waiter: Waiter;
  /** Its keys, if it may go to another shard should their range have moved; all of them have to be there together. */
  readonly keys?: readonly string[];
  /** Database of the keys; null = the default. */
  readonly database?: string | null;
  /** Until when it may wait to be executed (performance.now(), milliseconds). Left out: for `requestDeadlineMs`. */
  readonly deadline?: number | undefined;
  /**
   * Called instead of the waiter when ranges have changed so that it cannot be executed anywhere as it is: it surely was
   * not executed, and is to be planned anew. Left out: the asker gets TRYAGAIN.
   */
  readonly replan?: Replan | undefined;
  /** Who asks, when its requests have to keep their order: what it asked later waits until one is planned anew. */
  readonly asker?: object | undefined;
}

/** `deadline`: that of the request. `goOn`, to be called once, lets what the asker asked later go on. */
export type Replan = (deadline: number, goOn: () => void) => void;

/** A request that waits for its turn. */
export interface Submitted {
  readonly request: ShardRequest;
  /** Grows with every request of the process; one that goes to another shard keeps it. */
  readonly order: number;
  readonly deadline: number;
}

/** What may wait in a process: a bound for all connections and shards together. */
export class Budget {
  requests = 0;
  bytes = 0;
  readonly #maxRequests: number;
  readonly #maxBytes: number;

  constructor(maxRequests = 500_000, maxBytes = 256 * 1024 * 1024) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  /** Takes room for a request, if there is some. */
  take(bytes: number): boolean {
    if (this.requests >= this.#maxRequests || this.bytes + bytes > this.#maxBytes) return false;
    this.requests++;
    this.bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.requests--;
    this.bytes -= bytes;
  }
}
