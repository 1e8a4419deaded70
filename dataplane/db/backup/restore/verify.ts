import type { DbShardEntry } from '../../../../contract/directory.ts';
import { isEmptyRange } from '../../../../contract/key-range.ts';
import { encodeCommand } from '../../resp/frame.ts';
import { everything, keyOfText, overlap, type KeyBounds } from '../../store/key-range.ts';
import { readSnapshot } from '../../store/snapshot-codec.ts';
import type { Store } from '../../store/store.ts';
import { BackupError } from '../backup-error.ts';
import { ContentHash, type Content } from '../content-hash.ts';
import { eachOf, patiently } from '../patience.ts';
import type { Source } from '../source.ts';
import type { Target } from './target.ts';

/** Keys that expire so soon after a snapshot began may be gone in it already or not, milliseconds. */
const marginMs = 2_000;
const patienceMs = 60_000;
/** Shards that are compared at once. */
const comparedAtOnce = 2;

export interface VerifyOptions {
  readonly target: Target;
  readonly source: Pick<Source, 'shards' | 'snapshot' | 'wall'>;
  /** In the order of their keys. */
  readonly stores: readonly Store[];
  readonly signal: AbortSignal;
}

/** What the stores hold of a range. */
const expected = (stores: readonly Store[], range: KeyBounds, expiredAt: number): Content => {
  const hash = new ContentHash(expiredAt);
  for (const store of stores) {
    const part = overlap(range, store.keyRange ?? everything);
    if (!isEmptyRange(part)) hash.state(store, part);
  }
  return hash.take();
};

/** Its snapshot holds all that was acknowledged before. */
const compareShard = async (
  shard: DbShardEntry,
  { target, source, stores, signal }: VerifyOptions,
): Promise<number> => {
  const sequence = await target.sequenceOf(shard.name, encodeCommand(['DBSIZE']), signal);
  const opened = await patiently(() => source.snapshot(shard, sequence, signal), { signal, forMs: patienceMs });
  const expiredAt = Math.max(source.wall(), opened.position.time) + marginMs;
  const hash = new ContentHash(expiredAt);
  await hash.snapshot(readSnapshot(opened.chunks), () => {});
  const found = hash.take();
  const wanted = expected(stores, { start: keyOfText(shard.start), end: keyOfText(shard.end) }, expiredAt);
  if (found.hash === wanted.hash && found.keys === wanted.keys) return found.keys;
  throw new BackupError(
    'mismatch',
    `shard ${shard.name} of the restored database holds ${found.keys} keys, not the ${wanted.keys} of the backup, or others: something else has written into it; restore again`,
  );
};

/** Reads the restored database from its members, and compares it by hash with what it should be. Answers its keys. @throws BackupError */
export const verify = async (options: VerifyOptions): Promise<number> => {
  const { source, target, signal } = options;
  const shards = source.shards(target.database);
  const keys = await eachOf(shards, { atOnce: comparedAtOnce, signal }, (shard, stop) =>
    // A member that ends while it gives its snapshot is no reason to do all again.
    patiently(() => compareShard(shard, { ...options, signal: stop }), { signal: stop, forMs: patienceMs }),
  );
  return keys.reduce((sum, each) => sum + each, 0);
};
