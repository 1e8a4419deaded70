import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import { logStream } from '../../../contract/subjects.ts';
import type { Address } from '../client.ts';
import type { Observer } from './observer.ts';
import type { Cut } from './proxy.ts';
import type { SmallDisk } from './small-disk.ts';

/** A member or a gateway, to be treated badly. Somebody keeps it running, unless a fault holds it down. */
export interface Subject extends Address {
  readonly name: string;
  /** `kill -9`; it may stay down until {@link revive}. */
  kill(): Promise<void>;
  revive(): void;
  pause(): void;
  resume(): void;
  /** Cuts it off from NATS, where the database can. */
  cut(cut: Cut): void;
}

/** A NATS server. */
export interface LogServer {
  readonly name: string;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it runs again. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
}

/** A shard, and a letter with which keys of it begin. */
export interface Shard {
  readonly name: string;
  readonly letter: string;
  readonly members: readonly Subject[];
}

/** What not every place can: cut a process off, move its clock, fill its disk, split a shard, move a member. */
export type Ability = 'cut' | 'clock' | 'disk' | 'split' | 'move';

/** A shard that takes over its upper neighbour. */
export interface Merge {
  readonly lower: Shard;
  readonly upper: Shard;
  /** False: it is taken back, if it is not too late. */
  want(wanted: boolean): Promise<void>;
}

/** A database under test. */
export interface Database {
  readonly shards: readonly Shard[];
  readonly gateways: readonly Subject[];
  readonly servers: readonly LogServer[];
  readonly observer: Observer;
  readonly can: ReadonlySet<Ability>;
  /** Small disks, by the name of the member or NATS server whose data are on it. */
  readonly disks: ReadonlyMap<string, SmallDisk>;
  /** What ended by itself so far, and how often. */
  readonly crashes: readonly string[];
  /** The NATS server that leads the log of a shard; undefined while there is none. */
  logLeader(shard: Shard): Promise<LogServer | undefined>;
  /** Moves the wall clock of a process. @param offsetMs from the true time */
  setClock(subject: Subject, offsetMs: number): void;
  /**
   * Adds a shard that takes over the keys of another one from `at` on; null: from its middle. It is one of the shards from
   * then on. Undefined: there are enough of them.
   */
  split(shard: Shard, at: string | null): Promise<Shard | undefined>;
  /**
   * Makes a shard, and a neighbour that was made by a split, one again; the upper one is gone when that is done. Undefined:
   * there are no two such shards now.
   */
  merge(shard: Shard): Promise<Merge | undefined>;
  /**
   * Moves a member of a shard to another place: a new one is made, and when all have caught up and another one leads, the
   * old one ends for good. The new one belongs to the shard from now on; `over` tells whether the old one has left, or
   * the new one had to go again. Undefined: another member of the shard moves.
   */
  move(shard: Shard, member: Subject): Promise<{ readonly made: Subject; readonly over: Promise<boolean> } | undefined>;
  /** Whether anybody asks for elections. */
  operatorAway(away: boolean): void;
  /** Ends what every fault does, and waits until all NATS servers run. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/** The member of a shard that leads, as far as anybody knows. */
export const primaryOf = ({ observer }: Pick<Database, 'observer'>, { name, members }: Shard): Subject | undefined => {
  const primary = observer.primary(name);
  return members.find((member) => member.name === primary);
};

/** Why a shard does not serve its keys; undefined: it does. */
const trouble = (database: Pick<Database, 'observer'>, shard: Shard): string | undefined => {
  const primary = primaryOf(database, shard);
  if (primary === undefined) return `${shard.name} has no primary`;
  const { intake } = database.observer.report(primary.name)?.range ?? {};
  return intake && `${shard.name} takes keys over (${intake.phase}: ${intake.problem ?? 'no problem'})`;
};

/** Waits until every shard has a primary, and all keys that it is to have. @throws Error when one has not in time */
export const serving = async (database: Pick<Database, 'observer' | 'shards'>, limitMs: number): Promise<void> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const troubles = database.shards.flatMap((shard) => trouble(database, shard) ?? []);
    if (troubles.length === 0) return;
    if (performance.now() > deadline) throw new Error(troubles.join('; '));
    await sleep(100);
  }
};

/** The name of the NATS server that leads the log of a shard; undefined while there is none. */
export const logLeaderName = async (
  manager: JetStreamManager,
  namespace: string,
  { name }: Shard,
): Promise<string | undefined> => {
  try {
    return (await manager.streams.info(logStream({ kind: 'db', namespace, name }))).cluster?.leader;
  } catch {
    return undefined;
  }
};
