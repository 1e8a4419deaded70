/**
 * A shard that the directory does not know, and of which nobody is heard, for so long is deleted, milliseconds: the directory
 * may be written anew.
 */
export const deletedAfterMs = 60_000;

export interface DeletedOptions {
  /** Name of this shard: while the directory does not know it either, it says nothing. */
  readonly shard: string;
  /** Whether the directory knows a shard. */
  readonly known: (shard: string) => boolean;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
}

/**
 * Which shards are gone for good. One whose keys were taken over is deleted when it knows of no transaction any more; where
 * it is asked about one after that, it has carried out all that it had to, and has decided on nothing that is not known.
 */
export class Deleted {
  readonly #options: DeletedOptions;
  readonly #unknownSince = new Map<string, number>();

  constructor(options: DeletedOptions) {
    this.#options = options;
  }

  /** A member of a shard lives: whatever the directory says, it may be asked. */
  heard(name: string): void {
    this.#unknownSince.delete(name);
  }

  /** To be asked again and again: it begins to count when it is asked first. */
  has(name: string): boolean {
    const { shard, known, now } = this.#options;
    if (known(name) || !known(shard)) {
      this.#unknownSince.delete(name);
      return false;
    }
    const since = this.#unknownSince.get(name) ?? now();
    this.#unknownSince.set(name, since);
    return now() - since >= deletedAfterMs;
  }
}
