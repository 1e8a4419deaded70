import { splitName, splitSpec } from '../../crds/split.ts';
import { apiVersion } from '../../crds/kind.ts';
import { dbShards, refTo, type DbShard } from '../kinds.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import type { Store } from '../runtime/store.ts';
import { isAbove, isSplitting, planAutoSplit } from './auto-split.ts';
import type { ShardView } from './shard-view.ts';

export interface Surroundings {
  readonly own: ShardView;
  /** All shards of the namespace. */
  readonly all: readonly ShardView[];
}

/** Makes the new half of a shard that is larger than its resource allows. What it remembers may be lost: it then waits anew. */
export class AutoSplitter {
  readonly #cache: Pick<Store<DbShard>, 'list'>;
  readonly #now: () => number;
  /** Since when a shard is above its limit, by namespace and name. */
  readonly #above = new Map<string, number>();
  /** When a split was last seen, by namespace and database. */
  readonly #splitting = new Map<string, number>();

  constructor(cache: Pick<Store<DbShard>, 'list'>, now: () => number = () => performance.now()) {
    this.#cache = cache;
    this.#now = now;
  }

  /** Looks at one shard. Answers when to look again, ms. Rejects with KubeError. */
  async tend(shard: DbShard, { own, all }: Surroundings, context: ReconcileContext): Promise<number | undefined> {
    const { namespace, name } = refTo(shard);
    const now = this.#now();
    const database = `${namespace}/${own.database}`;
    if (isSplitting(own, all)) this.#splitting.set(database, now);
    if (!isAbove(shard)) {
      this.#above.delete(`${namespace}/${name}`);
      return undefined;
    }
    const since = this.#above.get(`${namespace}/${name}`) ?? now;
    this.#above.set(`${namespace}/${name}`, since);
    const plan = planAutoSplit({
      shard,
      own,
      all,
      aboveForMs: now - since,
      quietForMs: now - (this.#splitting.get(database) ?? Number.NEGATIVE_INFINITY),
    });
    if (plan.type === 'no') return plan.retryMs;
    if (plan.type === 'full') {
      context.events.record(shard, { type: 'Warning', reason: 'SplitNotMade', note: plan.note });
      return undefined;
    }
    // at once: another shard of the database is looked at meanwhile
    this.#splitting.set(database, now);
    await this.#make(shard, plan.note, context);
    return undefined;
  }

  async #make(shard: DbShard, why: string, { writer, events }: ReconcileContext): Promise<void> {
    const { namespace, name } = refTo(shard);
    const taken = new Set(this.#cache.list(namespace).map(({ metadata }) => metadata.name));
    const metadata = { name: splitName(name, undefined, taken), namespace };
    const desired = { apiVersion, kind: 'DBShard', metadata, spec: splitSpec({ name, spec: shard.spec }, undefined) };
    const { result } = await writer.apply(dbShards, { desired: desired as unknown as DbShard, mine: () => false });
    if (result !== 'created') return;
    events.record(shard, {
      type: 'Normal',
      reason: 'SplitBegun',
      note: `${why}: ${metadata.name} takes over its upper half`,
    });
  }
}
