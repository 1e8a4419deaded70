import type { DbShard } from '../kinds.ts';
import type { ShardView } from './shard-view.ts';

/**
 * Shards without keys of which no transaction can ask anything any more: it stays so, also when their pods have ended and
 * are not heard any more. Else a deletion would come back that is nearly done. What is forgotten is told again by replicas.
 */
export class UnaskedShards {
  readonly #uids = new Set<string>();

  /** The view of a shard with what was known of it before. */
  recall(shard: DbShard, view: ShardView): ShardView {
    const { uid } = shard.metadata;
    if (uid === undefined || view.emptied === null) return view;
    if (view.transactions === 0) this.#uids.add(uid);
    return this.#uids.has(uid) ? { ...view, transactions: 0 } : view;
  }
}
