import { isEmptyRange } from '../../../contract/key-range.ts';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { liveSubject, logStream, logSubject, snapshotSubject } from '../../../contract/subjects.ts';
import type { Directory } from '../../fabric/directory.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { systemClock } from '../../log/clock.ts';
import { JetStreamLog } from '../../log/jetstream-log.ts';
import type { ReplicatedLog } from '../../log/replicated-log.ts';
import { agreedOffset } from '../../replica/agreed-clock.ts';
import { openSnapshot } from '../../replica/snapshot-client.ts';
import { SnapshotError, type IncomingSnapshot } from '../../replica/snapshot-source.ts';
import { BackupError, reasonOf } from './backup-error.ts';

/** A member that was silent for so long is not asked for its snapshot, milliseconds. */
const silentMs = 1_500;
/** A follower that is further behind than so many entries is passed over for one that is not, or for the primary. */
const maxLag = 10_000;

/** What a backup needs of a process: its connection and its namespace. */
export interface Sight {
  readonly pod: Pod;
  readonly directory: Directory<'db'>;
  readonly beats: Heartbeats;
}

interface Giver {
  readonly pod: string;
  readonly applied: number;
  readonly leading: boolean;
}

/** Who gives a snapshot, best first: followers that are near the end of the log, then the primary, then the rest. Pure. */
export const orderGivers = (members: readonly Giver[]): readonly string[] => {
  const newest = Math.max(0, ...members.map(({ applied }) => applied));
  const rank = ({ applied, leading }: Giver): number => (applied < newest - maxLag ? 2 : leading ? 1 : 0);
  return members.toSorted((a, b) => rank(a) - rank(b) || b.applied - a.applied).map(({ pod }) => pod);
};

/** Shards of databases as a backup reads them, from their members and their logs. */
export class Source {
  readonly #sight: Sight;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  get namespace(): string {
    return this.#sight.pod.env.QUARTET_NAMESPACE;
  }

  /** The shards of a database in the order of their keys. @throws BackupError when they do not cover all keys once */
  shards(database: string): readonly DbShardEntry[] {
    const all = [...this.#sight.directory.entries.values()];
    const found = all.filter((entry) => entry.database === database);
    if (found.length === 0) {
      const names = [...new Set(all.map((entry) => entry.database))].sort().join(', ') || 'none';
      throw new BackupError(
        'not-found',
        `there is no database ${database} in namespace ${this.namespace}; there is: ${names}`,
      );
    }
    return covering(database, found);
  }

  logOf(shard: string): ReplicatedLog {
    const set = { kind: 'db', namespace: this.namespace, name: shard } as const;
    const { nats } = this.#sight.pod;
    return new JetStreamLog({
      nats,
      stream: logStream(set),
      subject: logSubject(set),
      liveSubject: liveSubject(set),
    });
  }

  /**
   * A snapshot of a shard that contains an entry of its log, from a follower if there is one.
   * @throws BackupError unreachable
   */
  async snapshot(shard: DbShardEntry, atLeast: number, signal: AbortSignal): Promise<IncomingSnapshot> {
    const set = { kind: 'db', namespace: this.namespace, name: shard.name } as const;
    const setName = `db/${this.namespace}/${shard.name}`;
    let reason = 'none of its members is heard';
    for (const member of orderGivers(this.#members(shard))) {
      const subject = snapshotSubject(set, member);
      try {
        const { nats } = this.#sight.pod;
        const found = await openSnapshot({ nats, subject, set: setName, clock: systemClock, signal });
        if (found.position.seq >= atLeast) return { ...found, chunks: explained(found.chunks, shard.name) };
        await found.chunks[Symbol.asyncIterator]().return?.();
        reason = `${member} is at entry ${found.position.seq}, not yet at ${atLeast}`;
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
        reason = `${member}: ${reasonOf(error)}`;
      }
    }
    throw new BackupError('unreachable', `no member of shard ${shard.name} gives a snapshot: ${reason}`);
  }

  /** The clock that the members of databases agree on, milliseconds since 1970. */
  wall(): number {
    const now = performance.now();
    const { directory, beats } = this.#sight;
    const offsets = [...directory.entries.values()]
      .flatMap(({ members }) => members)
      .flatMap(({ pod }) => {
        const heard = beats.alive(pod, silentMs) ? beats.get(pod) : undefined;
        return heard === undefined ? [] : [heard.beat.at - heard.receivedAt];
      });
    return Math.round(now + agreedOffset(Date.now() - now, offsets));
  }

  #members(shard: DbShardEntry): Giver[] {
    return shard.members.flatMap(({ pod }) => {
      const report = this.#sight.beats.alive(pod, silentMs) ? this.#sight.beats.get(pod)?.beat.replica : undefined;
      const able = report?.state === 'following' || report?.state === 'primary';
      return report && able ? [{ pod, applied: report.applied, leading: report.state === 'primary' }] : [];
    });
  }
}

/** A snapshot that breaks off is an error of a backup, which may try again. */
async function* explained(chunks: AsyncIterable<Uint8Array>, shard: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    throw new BackupError('unreachable', `a snapshot of shard ${shard} broke off: ${error.message}`, { cause: error });
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** @throws BackupError changed */
const covering = (database: string, shards: readonly DbShardEntry[]): readonly DbShardEntry[] => {
  for (const { name, conflict, serves } of shards) {
    if (conflict !== null) throw new BackupError('changed', `shard ${name} is not served: ${conflict}`);
    if (!serves)
      throw new BackupError('changed', `shard ${name} is taking keys over from another: try again when it has them`);
  }
  // A shard that gave all of its keys to its neighbour has none left to back up.
  const holding = shards.filter((shard) => !isEmptyRange(shard));
  const ordered = holding.toSorted((a, b) => byBytes(a.start, b.start));
  for (const [i, { name, end }] of ordered.entries()) {
    if (end === (ordered[i + 1]?.start ?? '')) continue;
    throw new BackupError(
      'changed',
      `the shards of ${database} do not cover all keys once: look at the end of ${name}`,
    );
  }
  if (ordered[0]?.start !== '') throw new BackupError('changed', `no shard of ${database} has the lowest keys`);
  return ordered;
};
