import { refTo, type DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';

/** A document reaches all pods within this time after it was written. */
const settleMs = 3_000;

/**
 * Since when documents of shards say nothing of a merge. What a pod says later than that, and a moment, it says knowing it:
 * so a merge that was taken back cannot go on unseen. What it remembers may be lost: it then waits anew.
 */
export class TakeBacks {
  readonly #operation: Pick<Operation, 'heartbeats' | 'directory'>;
  readonly #now: () => number;
  /** By namespace and name; null: not written yet. */
  readonly #since = new Map<string, number | null>();
  /** It stays so: a shard whose deletion has begun upon it must not come back while the other one elects a primary. */
  readonly #answered = new Set<string>();

  constructor(operation: Pick<Operation, 'heartbeats' | 'directory'>, now: () => number = () => performance.now()) {
    this.#operation = operation;
    this.#now = now;
  }

  /** What the document of a shard is to say from now on. */
  note(shard: DbShard, merges: boolean): void {
    const { namespace, name } = refTo(shard);
    const key = `${namespace}/${name}`;
    if (!merges) {
      if (!this.#since.has(key)) this.#since.set(key, null);
      return;
    }
    this.#since.delete(key);
    this.#answered.delete(key);
  }

  /** See `ShardView.hasGivenUp`: the primary of a shard has said, knowing its document, that it takes nothing over. */
  isAnswered(shard: DbShard): boolean {
    const { namespace, name } = refTo(shard);
    const key = `${namespace}/${name}`;
    if (this.#answered.has(key)) return true;
    const since = this.#writtenSince(shard);
    if (since === null || !this.#saysSo(shard, since + settleMs)) return false;
    this.#answered.add(key);
    return true;
  }

  #saysSo(shard: DbShard, after: number): boolean {
    const { heartbeats } = this.#operation;
    const { namespace } = refTo(shard);
    return (shard.status?.members ?? []).some(({ pod }) => {
      const replica = heartbeats.get(namespace, pod)?.beat.replica;
      if (replica?.state !== 'primary' || replica.range?.intake?.merge === true) return false;
      return this.#now() - heartbeats.ageMs(namespace, pod) > after;
    });
  }

  #writtenSince(shard: DbShard): number | null {
    const ref = refTo(shard);
    const key = `${ref.namespace}/${ref.name}`;
    const since = this.#since.get(key);
    if (since === undefined) return null;
    const isWritten = this.#operation.directory.isPublished('db', ref);
    const next = isWritten ? (since ?? this.#now()) : null;
    this.#since.set(key, next);
    return next;
  }
}
