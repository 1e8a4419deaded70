import type { CommittedEntry } from '../../replica/state-machine.ts';
import { applyEffects, ignoring, type EffectTarget, type EffectWriter } from '../store/effects.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';

type Operation = CommittedEntry['operations'][number];

/** How what another shard has becomes effects in the log of the shard that takes it over. */
export interface Copier {
  /** Removes what an earlier copy left. `propose`: writes the effects that were made so far as an operation. */
  prepare(propose: () => Promise<void>): Promise<void>;
  /** A record of a snapshot. */
  record(record: SnapshotRecord): void;
  /**
   * What has to come before an operation; takes no more bytes than that. Answers false when the source has removed all of
   * its keys: then all is to be copied anew.
   */
  announce(operation: Operation): boolean;
  /** What an operation of the source did to its keys. It takes no more bytes than the operation. */
  operation(operation: Operation): void;
  /** What is in the log is in the store as well. */
  written(): void;
  /** What is done in the entry that opens the shard. */
  open(): void;
}

/** Copies into an empty shard: everything, with the source's own numbers. */
export class SplitCopier implements Copier {
  readonly #writer: EffectWriter;
  readonly #target: EffectTarget;

  constructor(writer: EffectWriter) {
    this.#writer = writer;
    // Notes of the source are its own and are left out.
    this.#target = {
      ...ignoring,
      put: (key, value, expireAt, type) => writer.put(key, value, expireAt, type),
      remove: (key) => writer.remove(key),
      expire: (key, expireAt) => writer.expire(key, expireAt),
      element: (generation, name, value) => writer.element(generation, name, value),
      clear: () => writer.clear(),
    };
  }

  async prepare(propose: () => Promise<void>): Promise<void> {
    this.#writer.clear();
    await propose();
  }

  record(record: SnapshotRecord): void {
    if (record.kind === 'row') {
      this.#writer.put(record.key, record.row.value, record.row.expireAt, record.row.type);
    } else if (record.kind === 'element') this.#writer.element(record.generation, record.name, record.value);
  }

  announce(): boolean {
    return true;
  }

  operation(operation: Operation): void {
    applyEffects(operation, this.#target);
  }

  written(): void {}

  open(): void {}
}
