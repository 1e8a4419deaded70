import { silentNote } from '../split/silent.ts';
import { applyEffects, ignoring } from '../store/effects.ts';
import { valueType } from '../store/row.ts';
import type { CommittedEntry } from '../../replica/state-machine.ts';

/**
 * A committed change of a key.
 * - put: it has this value. That of a collection is not in the change; its type is
 * - delete: it is gone (also because its time had come)
 * - expire: only its time to live was changed
 * - clear: all keys of the shard are gone; `key` is empty
 */
export interface Change {
  /** Sequence of the log entry; changes of one entry were committed together. */
  readonly seq: number;
  /** Log time, milliseconds. */
  readonly time: number;
  readonly kind: 'put' | 'delete' | 'expire' | 'clear';
  /** One character a byte. */
  readonly key: string;
  /** Of `valueType`; 0 for other kinds than put. */
  readonly type: number;
  /** Milliseconds; 0 = never. */
  readonly expireAt: number;
  readonly value: Buffer | null;
}

type Found = Omit<Change, 'seq' | 'time'>;

const none = { type: 0, expireAt: 0, value: null } as const;

/** Changes of keys with a prefix in one entry, in order; what a split copies or sweeps away is none. Values are views. */
export const changesOf = ({ seq, time, operations }: CommittedEntry, prefix: string): Change[] => {
  const changes: Change[] = [];
  let silent = false;
  const add = (found: Found): void => {
    if (!silent && (found.kind === 'clear' || found.key.startsWith(prefix))) changes.push({ seq, time, ...found });
  };
  for (const operation of operations) {
    silent = false;
    applyEffects(operation, {
      ...ignoring,
      note: (name) => {
        silent ||= name === silentNote;
      },
      put: (key, value, expireAt, type) =>
        add({ kind: 'put', key, type, expireAt, value: type === valueType.string ? value : null }),
      remove: (key) => add({ kind: 'delete', key, ...none }),
      expire: (key, expireAt) => add({ kind: 'expire', key, ...none, expireAt }),
      clear: () => add({ kind: 'clear', key: '', ...none }),
    });
  }
  return changes;
};
