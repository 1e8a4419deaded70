import type { Roles } from './step.ts';

/**
 * What a shard's log says about a transaction over several shards. As a note: u32 length, JSON, and for a prepared one
 * the effects of its part. No note: it was aborted, or is over.
 */
export type TransactionNote =
  | (Roles & {
      readonly state: 'prepared';
      /** Locked: read or written by this shard's part. One character a byte. */
      readonly keys: readonly string[];
      readonly effects: Buffer;
    })
  /** On the anchor only, until all participants have carried it out. */
  | (Roles & { readonly state: 'committed' });

const prefix = 'txn:';

export const noteName = (id: string): string => `${prefix}${id}`;

/** The transaction that a note is about; null when it is about something else. */
export const transactionOf = (name: string): string | null =>
  name.startsWith(prefix) ? name.slice(prefix.length) : null;

export const encodeNote = (note: TransactionNote): Buffer => {
  const effects = note.state === 'prepared' ? note.effects : Buffer.alloc(0);
  const json = Buffer.from(JSON.stringify({ ...note, effects: undefined }));
  const bytes = Buffer.allocUnsafe(4 + json.length + effects.length);
  bytes.writeUInt32BE(json.length, 0);
  json.copy(bytes, 4);
  effects.copy(bytes, 4 + json.length);
  return bytes;
};

/** A note that {@link encodeNote} made; effects are a view. */
export const decodeNote = (bytes: Buffer): TransactionNote => {
  const effectsAt = 4 + bytes.readUInt32BE(0);
  const head = JSON.parse(bytes.toString('utf8', 4, effectsAt)) as TransactionNote;
  return head.state === 'prepared' ? { ...head, effects: bytes.subarray(effectsAt) } : head;
};
