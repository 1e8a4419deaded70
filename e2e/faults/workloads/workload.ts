import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Client } from '../client.ts';
import type { Ended, History, Operation } from '../history.ts';
import type { Random } from '../random.ts';

/** What one client of a workload has at hand. */
export interface Worker {
  /** Differs for each worker of a run. */
  readonly name: string;
  readonly client: Client;
  readonly random: Random;
  readonly history: History;
  /** Milliseconds since the workloads began. */
  elapsed(): number;
}

/** A worker to be: it does one step after another, with a pause that is a little random. */
export interface Lane {
  readonly name: string;
  /** Where it connects to. */
  readonly address: Address;
  /** Mean time between the beginnings of steps, milliseconds. */
  readonly everyMs: number;
  step(worker: Worker): Promise<void>;
}

/** Where keys and clients go. */
export interface Place {
  /** First letter of the keys of this shard. */
  readonly letter: string;
  /** Members of the shard: they answer what they lead without asking anyone. */
  readonly members: readonly Address[];
  /** At least one. */
  readonly gateways: readonly Address[];
}

export interface Verdict {
  /** Operations that were looked at. */
  readonly checked: number;
  /** What is wrong; empty when nothing is. */
  readonly anomalies: readonly string[];
  /** What the check could not decide. Not a failure, but to be told. */
  readonly undecided?: string;
}

/** Clients, what they do, and what has to be true of it afterwards. */
export interface Workload {
  readonly name: string;
  lanes(): readonly Lane[];
  /** Runs once before all faults. */
  setUp?(worker: Worker): Promise<void>;
  /** Reads once all faults are over; called several times, with other primaries. */
  finish?(worker: Worker): Promise<void>;
  check(operations: readonly Operation[]): Verdict | Promise<Verdict>;
}

/** Where atomic groups of keys live: each in one shard, or over all of them. */
export type Spread = 'one-shard' | 'across';

/** One of the gateways. */
export const gatewayOf = ({ gateways }: Pick<Place, 'gateways'>, index: number): Address => {
  const gateway = gateways[index % gateways.length];
  if (gateway === undefined) throw new RangeError('a database without gateways');
  return gateway;
};

/** A shard's letters for a group of `count` keys. */
export const lettersOf = (places: readonly Place[], place: Place, spread: Spread, count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => (spread === 'across' ? places[i % places.length] : place)?.letter ?? place.letter,
  );

/** Groups of keys: one per shard, or one over all shards. */
export const groupsOf = (places: readonly Place[], spread: Spread): readonly Place[] =>
  spread === 'across' ? places.slice(0, 1) : places;

/** How long setting up and a last read may take each, milliseconds. */
const insistMs = 60_000;

/** Repeats an operation until it is done; for setting up and for last reads, which have to succeed. */
export const insist = async (call: () => Promise<Ended<unknown>>, what: string): Promise<void> => {
  const deadline = performance.now() + insistMs;
  while (performance.now() < deadline) {
    if ((await call()).outcome === 'ok') return;
    await sleep(500);
  }
  throw new Error(`could not ${what} within ${insistMs / 1000} s, though no fault lasts`);
};
