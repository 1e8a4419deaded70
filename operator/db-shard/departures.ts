import { refTo, type DbShard } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import type { ShardView } from './shard-view.ts';

/** A request for keys that a pod sent before it ended is carried out or given up within this time. */
const lastRequestMs = 10_000;

/** It has none yet. */
const mayGetKeys = (own: ShardView | undefined): boolean => own?.range === null && own.emptied === null;

/**
 * A new half that is given up before it has keys. Its pods end first, so that none of them asks for keys any more; then the
 * source's primary has to be heard saying that it kept them. Only then does the log go: if it gave them away at the last
 * moment, the new half comes back instead.
 */
export class Departures {
  readonly #operation: Pick<Operation, 'heartbeats'>;
  /** When a shard was first seen without pods; monotonic, ms. */
  readonly #deserted = new Map<string, number>();
  readonly #now: () => number;

  constructor(operation: Pick<Operation, 'heartbeats'>, now: () => number = () => performance.now()) {
    this.#operation = operation;
    this.#now = now;
  }

  /** Why a shard without pods must not go yet; null: it may. To be asked again about once a second. */
  whyNotFinished(shard: DbShard, all: readonly ShardView[]): string | null {
    const { namespace, name } = refTo(shard);
    const own = all.find((one) => one.name === name);
    const source = all.find((one) => one.name === own?.splitFrom?.shard);
    const key = `${namespace}/${name}/${shard.metadata.uid ?? ''}`;
    // without a log there never was a replica that could ask for keys
    const neverRan = shard.status?.log === undefined;
    if (neverRan || !mayGetKeys(own) || source === undefined || source.deleting) {
      this.#deserted.delete(key);
      return null;
    }
    const since = this.#deserted.get(key) ?? this.#now();
    this.#deserted.set(key, since);
    if (this.#heardSince(namespace, source.name, since + lastRequestMs)) {
      this.#deserted.delete(key);
      return null;
    }
    return `${source.name} has to say that it kept its keys: waiting for a heartbeat of its primary`;
  }

  #heardSince(namespace: string, resource: string, time: number): boolean {
    return this.#operation.heartbeats
      .told(namespace, 'db', resource)
      .some(({ beat, ageMs }) => beat.replica?.state === 'primary' && this.#now() - ageMs > time);
  }
}
