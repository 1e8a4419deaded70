/** Where progress goes. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Steps with their time, one line each. On a terminal the current line is rewritten while the step's detail changes; elsewhere
 * a detail that is new gets a line of its own, at most one in `quietMs`.
 */
export class Progress {
  readonly #out: Output;
  readonly #began = performance.now();
  readonly #quietMs: number;
  #line = '';
  #detail = '';
  #since = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(out: Output = process.stdout, quietMs = 10_000) {
    this.#out = out;
    this.#quietMs = quietMs;
  }

  /** A step begins; the one before is done. */
  step(name: string): void {
    this.done();
    this.#line = name;
    this.#since = performance.now();
    this.#told = this.#since;
    if (this.#out.isTTY) this.#rewrite(`  ·  ${name}`);
  }

  /** What the step waits for now. */
  detail(text: string): void {
    if (this.#out.isTTY) {
      this.#rewrite(`  ·  ${this.#line}: ${text}`);
      return;
    }
    if (text === this.#detail || performance.now() - this.#told < this.#quietMs) return;
    this.#detail = text;
    this.#told = performance.now();
    this.#out.write(`  ·  ${this.#line}: ${text}\n`);
  }

  /** The current step is done. */
  done(): void {
    if (this.#line === '') return;
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1);
    this.#rewrite(`  ✓  ${this.#line}  ${seconds} s\n`);
    this.#line = '';
  }

  /** The current step failed; the error itself is for the caller to say. */
  failed(): void {
    if (this.#line !== '') this.#rewrite(`  ✗  ${this.#line}\n`);
    this.#line = '';
  }

  /** Seconds since the first step. */
  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  #rewrite(text: string): void {
    const width = (this.#out.columns ?? 80) - 1;
    const short = text.endsWith('\n') ? text : text.slice(0, width);
    this.#out.write(this.#out.isTTY ? `\r\u001B[2K${short}` : short);
  }
}
