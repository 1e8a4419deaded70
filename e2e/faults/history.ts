import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

/**
 * How an operation ended.
 * - ok: done, with this output
 * - fail: surely not done
 * - info: nobody knows; it may also be done later
 */
export type Outcome = 'ok' | 'fail' | 'info';

/** One operation of one client, as the client saw it. Times are monotonic milliseconds of the test. */
export interface Operation<F extends string = string, I = unknown, O = unknown> {
  readonly workload: string;
  readonly client: string;
  readonly f: F;
  readonly input: I;
  /** Null unless ok. */
  readonly output: O | null;
  readonly outcome: Outcome;
  readonly start: number;
  readonly end: number;
  /** What the database or the network said, when not ok. */
  readonly why?: string;
}

/** What a client's call ended with. */
export type Ended<O> =
  { readonly outcome: 'ok'; readonly output: O } | { readonly outcome: 'fail' | 'info'; readonly why: string };

/** Keeps what happened, in the order in which operations ended, and writes it to a file, one JSON object a line. */
export class History {
  readonly operations: Operation[] = [];
  readonly #file: WriteStream;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  /** Runs an operation and records it. An exception is a defect of the database or the test and ends the run. */
  async record<O>(
    about: Pick<Operation, 'workload' | 'client' | 'f' | 'input'>,
    run: () => Promise<Ended<O>>,
  ): Promise<Ended<O>> {
    const start = performance.now();
    const ended = await run();
    const operation: Operation = {
      ...about,
      output: ended.outcome === 'ok' ? ended.output : null,
      outcome: ended.outcome,
      start,
      end: performance.now(),
      ...(ended.outcome === 'ok' ? {} : { why: ended.why }),
    };
    this.operations.push(operation);
    if (!this.#file.write(`${JSON.stringify(operation)}\n`)) await once(this.#file, 'drain');
    return ended;
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}
