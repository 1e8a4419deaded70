import { randomUUID } from 'node:crypto';

/** Searches whose hits can still be fetched, and for how long. */
const most = 200;
const lifetimeMs = 15_000;

interface Kept<T> {
  readonly value: T;
  readonly at: number;
}

/** Keeps what a search found for its second phase, so that it shows the documents that were scored, whatever happens meanwhile. */
export class RecentSearches<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Answers the token to get it back by. */
  keep(value: T): string {
    const token = randomUUID();
    const now = this.#now();
    this.#kept.set(token, { value, at: now });
    for (const [oldest, { at }] of this.#kept) {
      if (this.#kept.size <= most && now - at <= lifetimeMs) break;
      this.#kept.delete(oldest);
    }
    return token;
  }

  get(token: string): T | undefined {
    const kept = this.#kept.get(token);
    return kept !== undefined && this.#now() - kept.at <= lifetimeMs ? kept.value : undefined;
  }
}
