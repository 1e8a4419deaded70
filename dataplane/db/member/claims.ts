import { decodeWatched } from '../batch/request-batch.ts';
import { keyIndexes } from '../commands/command.ts';
import type { CommandTable, DataCommand } from '../commands/table.ts';
import { Frame, readTrusted } from '../resp/frame.ts';

/** What a request reads or writes. */
export interface Claims {
  readonly keys: readonly string[];
  /** It waits for the locks of all keys. */
  readonly all: boolean;
  /** It is about all keys that the shard serves: the asker has to know which those are. */
  readonly whole: boolean;
  /** It removes all of them. */
  readonly clears: boolean;
}

type Collected = { keys: string[] } & { -readonly [K in 'all' | 'whole' | 'clears']: Claims[K] };

/** Reads of the shard that have to see what was committed before them, and which keys they look at. */
const shardReads: Readonly<Record<string, 'all' | 'arguments'>> = {
  QRANGE: 'all',
  QROWS: 'all',
  QREAD: 'arguments',
  QVERSIONS: 'arguments',
};

const argumentsOf = (frame: Frame): string[] => Array.from({ length: frame.count - 1 }, (_, i) => frame.key(i + 1));

const none = (keys: string[] = []): Collected => ({ keys, all: false, whole: false, clears: false });

const add = (frame: Frame, command: DataCommand | undefined, claims: Collected): void => {
  if (command?.kind === 'keys') {
    for (const i of keyIndexes(command.keys, frame)) claims.keys.push(frame.key(i));
    if (command.across === 'every') claims.all = claims.whole = claims.clears = true;
  } else if (command) {
    const reads = shardReads[command.name];
    claims.all ||= reads === 'all';
    claims.whole ||= reads !== 'arguments';
    if (reads === 'arguments') claims.keys.push(...argumentsOf(frame));
  }
};

/** Claims of one command. */
export const claimsOfCommand = (payload: Buffer, commands: CommandTable<DataCommand>): Claims => {
  const frame = new Frame();
  readTrusted(frame, payload, 0);
  const claims = none();
  add(frame, commands.find(frame), claims);
  return claims;
};

/** Claims of a transaction, watched keys included. */
export const claimsOfTransaction = (payload: Buffer, commands: CommandTable<DataCommand>): Claims => {
  const { watched, commandsAt } = decodeWatched(payload);
  const claims = none(watched.map(({ key }) => key));
  const frame = new Frame();
  for (let at = commandsAt; at < payload.length;) {
    at = readTrusted(frame, payload, at);
    add(frame, commands.find(frame), claims);
  }
  return claims;
};
