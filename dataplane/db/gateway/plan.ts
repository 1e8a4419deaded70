import type { DbShardEntry } from '../../../contract/directory.ts';
import type { WatchedKey } from '../batch/request-batch.ts';
import type { KeyCommand } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { encodeCommand, type Frame } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { encodeReply } from '../resp/reply-writer.ts';
import type { Part } from '../two-phase/coordinator.ts';
import type { Ranges } from './ranges.ts';

/** A command as shards are asked to carry it out, and how their replies become one. */
export interface PlannedCommand {
  readonly parts: readonly { readonly shard: DbShardEntry; readonly payload: Buffer }[];
  readonly merge: (replies: readonly Buffer[]) => Buffer;
}

type Merge = PlannedCommand['merge'];

const first: Merge = ([reply]) => reply ?? Buffer.alloc(0);
const errorAmong = (replies: readonly Buffer[]): Buffer | undefined => replies.find((reply) => reply[0] === 45);

const sum: Merge = (replies) =>
  errorAmong(replies) ??
  encodeReply(2, (writer) =>
    writer.integer(replies.reduce((total, reply) => total + Number(decodeReply(reply)?.reply), 0)),
  );

/** An array of the replies; a value that is not a string is nothing, as MGET answers it. */
const list: Merge = (replies) =>
  Buffer.concat([Buffer.from(`*${replies.length}\r\n`), ...replies.map((reply) => (reply[0] === 45 ? nil : reply))]);
const nil = Buffer.from('$-1\r\n');

const raw = (key: string): Buffer => Buffer.from(key, 'latin1');

/** Each shard's own keys, with what follows each key. */
const byShard = (
  command: Pick<KeyCommand, 'name'>,
  frame: Frame,
  ranges: Ranges,
  step: number,
): PlannedCommand['parts'] => {
  const groups = new Map<DbShardEntry, Buffer[]>();
  for (let i = 1; i < frame.count; i += step) {
    const shard = ranges.find(frame.key(i));
    const args = groups.get(shard) ?? [];
    groups.set(shard, args);
    for (let j = i; j < i + step; j++) args.push(frame.argument(j));
  }
  return [...groups].map(([shard, args]) => ({ shard, payload: encodeCommand([command.name, ...args]) }));
};

/** Keys and values in turn. MSETNX only by itself: whether it sets anything depends on all of its shards. */
const pairCommands = new Set(['MSET', 'MSETNX']);

/**
 * Splits a command of a transaction into parts for shards.
 * @throws DbError CROSSSHARD when it cannot be split
 */
export const planCommand = (
  command: Pick<KeyCommand, 'name' | 'across'>,
  frame: Frame,
  keys: readonly string[],
  ranges: Ranges,
): PlannedCommand => {
  const shards = new Set(keys.map((key) => ranges.find(key)));
  const [only] = shards;
  if (shards.size <= 1) {
    const shard = only ?? ranges.find('');
    return { parts: [{ shard, payload: Buffer.from(frame.raw()) }], merge: first };
  }
  if (command.across === 'sum') return { parts: byShard(command, frame, ranges, 1), merge: sum };
  if (command.across === 'list') {
    const parts = keys.map((key) => ({ shard: ranges.find(key), payload: encodeCommand(['GET', raw(key)]) }));
    return { parts, merge: list };
  }
  if (pairCommands.has(command.name) && frame.count % 2 === 1) {
    return { parts: byShard(command, frame, ranges, 2), merge: first };
  }
  throw new DbError('CROSSSHARD', `the keys of ${command.name} are in different shards, which it cannot span`);
};

/** A transaction as its shards are asked to carry it out. */
export interface Plan {
  readonly parts: readonly Part[];
  /** The replies of the commands, in their order, from those of the shards. */
  merge(replies: ReadonlyMap<string, readonly Buffer[]>): Buffer[];
}

/** Puts the parts of all commands together by shard. */
export const planTransaction = (
  commands: readonly PlannedCommand[],
  watched: readonly WatchedKey[],
  ranges: Ranges,
): Plan => {
  const parts = new Map<string, { shard: string; watched: WatchedKey[]; commands: Buffer[] }>();
  const partOf = (shard: string): { shard: string; watched: WatchedKey[]; commands: Buffer[] } => {
    const part = parts.get(shard) ?? { shard, watched: [], commands: [] };
    parts.set(shard, part);
    return part;
  };
  for (const each of watched) partOf(ranges.find(each.key).name).watched.push(each);
  const places = commands.map((command) =>
    command.parts.map(({ shard, payload }) => ({
      shard: shard.name,
      i: partOf(shard.name).commands.push(payload) - 1,
    })),
  );
  const merge: Plan['merge'] = (replies) =>
    commands.map((command, i) =>
      command.merge((places[i] ?? []).map((place) => replies.get(place.shard)?.[place.i] ?? nil)),
    );
  return { parts: [...parts.values()], merge };
};
