/** Holds back who would have too much under way: a bound of requests and of bytes. */
export class Flow {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #requests = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  /** Resolves when there is room; what is larger than all room waits until nothing else is under way. */
  async take(bytes: number): Promise<void> {
    while (this.#requests > 0 && (this.#requests >= this.#maxRequests || this.#bytes + bytes > this.#maxBytes)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#requests++;
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#requests > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
