import type { Frame } from '../resp/frame.ts';
import { append, getrange } from './append.ts';
import { noKeys, type CommandDescription, type KeyCommand, type ShardCommand } from './command.ts';
import { decr, decrby, incr, incrby } from './counter.ts';
import { del, exists, flushall, flushdb, touch, type, unlink } from './del.ts';
import { expire, expireat, persist, pexpire, pexpireat } from './expire.ts';
import { genericCommands } from './generic.ts';
import { get, strlen } from './get.ts';
import { getdel, getex } from './getdel.ts';
import { hashReads } from './hash-read.ts';
import { hashWrites } from './hash-write.ts';
import { listCommands } from './list-commands.ts';
import { echo, ping } from './ping.ts';
import { mget, mset, msetnx } from './mget.ts';
import { getset, psetex, set, setex, setnx } from './set.ts';
import { setAlgebra } from './set-algebra.ts';
import { setCommands } from './set-members.ts';
import { stringParts } from './string-parts.ts';
import { qrange } from './qrange.ts';
import { randomkey, dbsize, keys, qscan, qversions } from './shard-reads.ts';
import { zsetRanges } from './zset-range.ts';
import { zsetReads } from './zset-read.ts';
import { zsetWrites } from './zset-write.ts';
import { expiretime, pexpiretime, pttl, ttl } from './ttl.ts';

/** Commands that a shard's primary evaluates. */
export type DataCommand = KeyCommand | ShardCommand;

/** All commands on keys that clients may send. */
export const keyCommands: readonly KeyCommand[] = [
  get,
  strlen,
  set,
  setnx,
  setex,
  psetex,
  getset,
  getdel,
  getex,
  mget,
  mset,
  msetnx,
  append,
  getrange,
  incr,
  decr,
  incrby,
  decrby,
  del,
  unlink,
  exists,
  touch,
  type,
  flushall,
  flushdb,
  expire,
  pexpire,
  expireat,
  pexpireat,
  persist,
  ttl,
  pttl,
  expiretime,
  pexpiretime,
  ...stringParts,
  ...genericCommands,
  ...hashWrites,
  ...hashReads,
  ...setCommands,
  ...setAlgebra,
  ...zsetWrites,
  ...zsetRanges,
  ...zsetReads,
  ...listCommands,
];

/** All reads of whole shards that clients may send. */
export const shardCommands: readonly ShardCommand[] = [dbsize, keys, randomkey];

/** SCAN is made of `QSCAN` steps by the front end; clients see this. */
export const scanDescription: CommandDescription = {
  name: 'SCAN',
  arity: -2,
  flags: ['readonly'],
  keys: noKeys,
  group: 'generic',
  summary: 'Walks over the keys of the database.',
};

/** Looks commands up by name without regard to case. Names are few, so each spelling that was seen is kept. */
export class CommandTable<T extends CommandDescription> {
  readonly #byName: ReadonlyMap<string, T>;
  readonly #seen = new Map<string, T>();

  constructor(commands: readonly T[]) {
    this.#byName = new Map(commands.map((command) => [command.name, command]));
  }

  /** The command that a frame names; undefined when there is none. */
  find(frame: Frame): T | undefined {
    const name = frame.lengthOf(0) <= maxNameBytes ? frame.key(0) : '';
    return this.#seen.get(name) ?? this.#remember(name);
  }

  byName(name: string): T | undefined {
    return this.#byName.get(name.toUpperCase());
  }

  get all(): readonly T[] {
    return [...this.#byName.values()];
  }

  #remember(name: string): T | undefined {
    const command = this.#byName.get(name.toUpperCase());
    if (command && this.#seen.size < maxSpellings) this.#seen.set(name, command);
    return command;
  }
}

const maxNameBytes = 32;
const maxSpellings = 1_000;

/** What members evaluate: what clients may send, the parts that gateways make of
 * WATCH and SCAN, and commands without keys that transactions may contain. */
export const memberCommands = (): CommandTable<DataCommand> =>
  new CommandTable<DataCommand>([...keyCommands, ...shardCommands, ping, echo, qrange, qscan, qversions]);
