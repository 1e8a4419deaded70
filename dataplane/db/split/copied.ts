import type { CommittedEntry } from '../../replica/state-machine.ts';
import { applyEffects, ignoring, type EffectTarget, type EffectWriter } from '../store/effects.ts';
import type { SnapshotRecord } from '../store/snapshot-codec.ts';

/** What another shard has, as effects. Its notes are its own and are left out. */
const copyTo = (writer: EffectWriter): EffectTarget => ({
  ...ignoring,
  put: (key, value, expireAt, type) => writer.put(key, value, expireAt, type),
  remove: (key) => writer.remove(key),
  expire: (key, expireAt) => writer.expire(key, expireAt),
  element: (generation, name, value) => writer.element(generation, name, value),
  clear: () => writer.clear(),
});

/** Writes what an operation of another shard did to its keys. */
export const copyOperation = (operation: CommittedEntry['operations'][number], writer: EffectWriter): void =>
  applyEffects(operation, copyTo(writer));

/** Writes what a snapshot of another shard holds. */
export const copyRecord = (record: SnapshotRecord, writer: EffectWriter): void => {
  if (record.kind === 'row') writer.put(record.key, record.row.value, record.row.expireAt, record.row.type);
  else if (record.kind === 'element') writer.element(record.generation, record.name, record.value);
};
