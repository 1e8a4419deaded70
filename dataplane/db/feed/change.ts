import { decodeIntake, intakeNote } from '../split/intake-note.ts';
import { silentNote } from '../split/silent.ts';
import { applyEffects, ignoring } from '../store/effects.ts';
import { decodeRange, rangeNote } from '../store/key-range.ts';
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

/** What an entry says to who watches keys with a prefix. */
export interface EntryChanges {
  /** In order; what a split copies or sweeps away is none. Values are views. */
  readonly changes: Change[];
  /** Such keys came from a shard that was merged into this one: what had changed there is not in this log. */
  readonly gained: boolean;
}

/** Whether keys with a prefix are among those of a merge that opens. */
const isGained = (intake: Buffer | null, range: Buffer | null, prefix: string): boolean => {
  if (intake === null || range === null) return false;
  const { merge, phase, at } = decodeIntake(intake);
  if (!merge || phase !== 'open') return false;
  const { end } = decodeRange(range);
  return (prefix >= at || at.startsWith(prefix)) && (end === '' || prefix < end);
};

/** See {@link EntryChanges}. */
export const readEntry = ({ seq, time, operations }: CommittedEntry, prefix: string): EntryChanges => {
  const changes: Change[] = [];
  let [silent, gained] = [false, false];
  const add = (found: Found): void => {
    if (!silent && (found.kind === 'clear' || found.key.startsWith(prefix))) changes.push({ seq, time, ...found });
  };
  for (const operation of operations) {
    silent = false;
    const notes: Record<string, Buffer | null> = { [intakeNote]: null, [rangeNote]: null };
    applyEffects(operation, {
      ...ignoring,
      note: (name, value) => {
        silent ||= name === silentNote;
        if (name in notes) notes[name] = value;
      },
      put: (key, value, expireAt, type) =>
        add({ kind: 'put', key, type, expireAt, value: type === valueType.string ? value : null }),
      remove: (key) => add({ kind: 'delete', key, ...none }),
      expire: (key, expireAt) => add({ kind: 'expire', key, ...none, expireAt }),
      clear: () => add({ kind: 'clear', key: '', ...none }),
    });
    gained ||= isGained(notes[intakeNote] ?? null, notes[rangeNote] ?? null, prefix);
  }
  return { changes, gained };
};
