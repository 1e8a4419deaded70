import { createHash } from 'node:crypto';

/** A cached answer is given for this long at most. */
export const cacheLifetimeMs = 5 * 60_000;
const mostEntries = 2000;
const mostBytes = 64 * 1024 * 1024;

interface Entry {
  readonly value: string;
  readonly version: string;
  readonly at: number;
  hits: number;
}

/**
 * Answers of searches. An entry counts only for the version of the index that it was made from: the last change of every
 * shard, as its primary has just said. So it never hides a write that was acknowledged before the search began.
 */
export class ResultCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The key of a search: its index, query, filters, offset and limit. */
  static key(index: string, body: unknown): string {
    return createHash('sha256')
      .update(`${index}\0${canonical(body)}`)
      .digest('base64url');
  }

  get(key: string, version: string): { readonly value: string; readonly hits: number } | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (entry.version !== version || this.#now() - entry.at > cacheLifetimeMs) {
      this.#remove(key, entry);
      return null;
    }
    entry.hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, version: string, value: string): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(key, known);
    if (value.length > mostBytes / 16) return;
    this.#entries.set(key, { value, version, at: this.#now(), hits: 0 });
    this.#bytes += value.length;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= mostEntries && this.#bytes <= mostBytes) break;
      this.#remove(oldest, entry);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.value.length;
  }
}

/** JSON with sorted keys: equal requests have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}
