import type { JetStreamManager } from '@nats-io/jetstream';
import type { ReplicaSetId } from '../contract/names.ts';
import { logStreamConfig } from '../contract/streams.ts';
import { logStream } from '../contract/subjects.ts';
import { OperatorError } from './operator-error.ts';

/** The log of a replica set, as JetStream has it. */
export type LogView =
  /** The streams were not listed yet, or NATS is away. */
  | { readonly state: 'unknown' }
  | { readonly state: 'missing' }
  | { readonly state: 'present'; readonly stream: string; readonly created: string; readonly owner: string | null };

/** Stream metadata that names the resource (its uid) that the log was made for. */
const ownerKey = 'quartet.dev/uid';

interface Known {
  readonly created: string;
  readonly owner: string | null;
  readonly size: LogSize;
}

/** As of the last listing, at most half a minute ago. */
export interface LogSize {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Which logs exist. Listed when NATS comes (back), then every so often, and at once when JetStream tells that a
 * stream was made or deleted: so a settled shard needs no request to know that its log is there.
 */
export class Logs {
  readonly #manager: () => JetStreamManager;
  readonly #replicas: number;
  readonly #listeners = new Set<(stream: string) => void>();
  #known: Map<string, Known> | null = null;

  constructor(manager: () => JetStreamManager, replicas: number) {
    this.#manager = manager;
    this.#replicas = replicas;
  }

  /** Calls the listener with each stream that appeared, vanished or became another. */
  onChange(listener: (stream: string) => void): void {
    this.#listeners.add(listener);
  }

  view(set: ReplicaSetId): LogView {
    if (this.#known === null) return { state: 'unknown' };
    const stream = logStream(set);
    const known = this.#known.get(stream);
    if (known === undefined) return { state: 'missing' };
    const { created, owner } = known;
    return { state: 'present', stream, created, owner };
  }

  /** How large the log of a set is; null: not known. */
  size(set: ReplicaSetId): LogSize | null {
    return this.#known?.get(logStream(set))?.size ?? null;
  }

  /** NATS went away: what is known may be out of date by the time it is back. */
  forget(): void {
    this.#known = null;
  }

  /** Lists all streams. Rejects when JetStream does not answer. */
  async refresh(): Promise<void> {
    const found = await this.#list();
    const before = this.#known;
    this.#known = found;
    const names = new Set([...found.keys(), ...(before?.keys() ?? [])]);
    for (const name of names) {
      if (before?.get(name)?.created !== found.get(name)?.created) this.#tell(name);
    }
  }

  /** Makes the log of a set. Throws OperatorError: log-foreign when one of that name exists already for another owner. */
  async create(set: ReplicaSetId, owner: string): Promise<void> {
    const name = logStream(set);
    try {
      const config = { ...logStreamConfig(set, this.#replicas), metadata: { [ownerKey]: owner } };
      const info = await this.#manager().streams.add(config as Parameters<JetStreamManager['streams']['add']>[0]);
      const made = info.config.metadata?.[ownerKey] ?? null;
      this.#known?.set(name, { created: String(info.created), owner: made, size: { entries: 0, bytes: 0 } });
    } catch (cause) {
      if (cause instanceof OperatorError) throw cause;
      throw new OperatorError('messaging-refused', `cannot make the log ${name}: ${String(cause)}`, cause);
    }
  }

  /** Deletes the log of a set; fine when it is gone already. One that was made for another owner stays. */
  async remove(set: ReplicaSetId, owner: string): Promise<void> {
    const name = logStream(set);
    if (this.#known === null) await this.refresh();
    if (this.#known?.get(name)?.owner !== owner) return;
    try {
      await this.#manager().streams.delete(name);
    } catch (cause) {
      if (cause instanceof OperatorError) throw cause;
      if (!/not found/i.test(String(cause))) {
        throw new OperatorError('messaging-refused', `cannot delete the log ${name}: ${String(cause)}`, cause);
      }
    }
    this.#known?.delete(name);
  }

  async #list(): Promise<Map<string, Known>> {
    const found = new Map<string, Known>();
    for await (const { config, created, state } of this.#manager().streams.list()) {
      if (!config.name.startsWith('QUARTET_')) continue;
      found.set(config.name, {
        created: String(created),
        owner: config.metadata?.[ownerKey] ?? null,
        size: { entries: state.messages, bytes: state.bytes },
      });
    }
    return found;
  }

  #tell(stream: string): void {
    for (const listener of this.#listeners) listener(stream);
  }
}
