import { encodeEntry, genesis, peekId } from '../../../log/entry.ts';
import { LogError } from '../../../log/log-error.ts';
import type { ReadLimit, ReplicatedLog, StoredEntry } from '../../../log/replicated-log.ts';
import type { Position } from '../../../replica/state-machine.ts';
import { EffectWriter } from '../../store/effects.ts';

/** A log in memory. Its first entry is a term; snapshots are taken {@link after} it. */
export class ListedLog implements Pick<ReplicatedLog, 'extent' | 'read'> {
  created = 'first';
  trimmedTo = 0;
  readonly entries: StoredEntry[] = [];
  #previous = genesis;

  constructor() {
    this.#append({ kind: 'term', operations: [] });
  }

  add(key: string, bytes = 10): void {
    const writer = new EffectWriter();
    writer.put(key, Buffer.alloc(bytes, 1), 0);
    this.#append({ kind: 'data', operations: [writer.take()] });
  }

  note(name: string, value: Buffer): void {
    const writer = new EffectWriter();
    writer.note(name, value);
    this.#append({ kind: 'data', operations: [writer.take()] });
  }

  get after(): Position {
    const bytes = this.entries[0]?.bytes ?? new Uint8Array();
    return { seq: 1, term: 1, log: 'first', chain: peekId(bytes), time: 1 };
  }

  async extent() {
    return { created: this.created, first: this.trimmedTo + 1, last: this.entries.length, bytes: 0 };
  }

  async read(from: number, limit: ReadLimit): Promise<readonly StoredEntry[]> {
    if (from <= this.trimmedTo) throw new LogError('trimmed', 'gone');
    return this.entries.slice(from - 1, from - 1 + Math.min(3, limit.entries));
  }

  #append({ kind, operations }: { kind: 'term' | 'data'; operations: Buffer[] }): void {
    const time = this.entries.length + 1;
    const { id, bytes } = encodeEntry({ kind, term: 1, writer: 'w', time, previous: this.#previous }, operations);
    this.#previous = id;
    this.entries.push({ seq: time, bytes });
  }
}
