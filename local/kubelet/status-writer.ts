import type { Logger } from 'pino';
import { ApiError, type ApiClient } from '../api/client.ts';
import type { Pod } from '../api/objects.ts';
import { reasonOf } from '../errors.ts';
import { nextDelay } from '../processes/back-off.ts';
import { readyCondition } from './status.ts';

export interface StatusWriterOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  /** The object as it is known now. */
  readonly object: () => Pod;
}

type MakeStatus = (pod: Pod) => Record<string, unknown>;

/** Transition times differ at each making; they alone are no change. */
const essence = (status: Record<string, unknown>): string =>
  JSON.stringify(status, (key, value: unknown) => (key === 'lastTransitionTime' ? undefined : value));

/**
 * Writes a pod's status: the newest only, one request at a time, nothing when nothing changed, again and again while the
 * API server is away.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #next: MakeStatus | undefined;
  #written = '';
  #ready: string | undefined;
  #busy = false;
  #stopped = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  write(make: MakeStatus): void {
    this.#next = make;
    if (!this.#busy) void this.#drain();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Whether somebody else wrote another Ready condition than the last one from here; if so, the next write is sent. */
  overruled(ready: string | undefined): boolean {
    if (this.#busy || this.#written === '' || ready === this.#ready) return false;
    this.#written = '';
    return true;
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    // Several changes of one moment are one write.
    await Promise.resolve();
    let delay: number | undefined;
    while (this.#next !== undefined && !this.#stopped) {
      const make = this.#next;
      this.#next = undefined;
      if (await this.#send(make)) {
        delay = undefined;
        continue;
      }
      this.#next ??= make;
      delay = Math.max(200, nextDelay(delay, 0));
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
    this.#busy = false;
  }

  /** False when it has to be tried again. */
  async #send(make: MakeStatus): Promise<boolean> {
    const pod = this.#options.object();
    const status = make(pod);
    const text = essence(status);
    if (text === this.#written) return true;
    const { namespace, name, uid } = pod.metadata;
    try {
      await this.#options.client.patch(
        `/api/v1/namespaces/${namespace}/pods/${name}/status`,
        { metadata: { uid }, status },
        'strategic-merge',
      );
      this.#written = text;
      this.#ready = readyCondition({ status })?.status;
      return true;
    } catch (error) {
      return this.#settles(error);
    }
  }

  /** Whether sending again is of no use: the pod is gone or another, or the status is refused. */
  #settles(error: unknown): boolean {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 404 || status === 409) return true;
    const refused = status >= 400 && status < 500 && status !== 429;
    this.#options.log[refused ? 'error' : 'debug']({ reason: reasonOf(error) }, 'the status could not be written');
    return refused;
  }
}
