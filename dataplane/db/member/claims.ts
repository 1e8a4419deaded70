import { decodeWatched } from '../batch/request-batch.ts';
import { keyIndexes } from '../commands/command.ts';
import type { CommandTable, DataCommand } from '../commands/table.ts';
import { Frame, readTrusted } from '../resp/frame.ts';

/** Keys that a request reads or writes; `all`: any key of the shard. */
export interface Claims {
  readonly keys: readonly string[];
  readonly all: boolean;
}

/** Reads of the shard that have to see what was committed before them, and which keys they look at. */
const shardReads: Readonly<Record<string, 'all' | 'arguments'>> = {
  QRANGE: 'all',
  QROWS: 'all',
  QREAD: 'arguments',
  QVERSIONS: 'arguments',
};

const argumentsOf = (frame: Frame): string[] => Array.from({ length: frame.count - 1 }, (_, i) => frame.key(i + 1));

const add = (frame: Frame, command: DataCommand | undefined, claims: { keys: string[]; all: boolean }): void => {
  if (command?.kind === 'keys') {
    for (const i of keyIndexes(command.keys, frame)) claims.keys.push(frame.key(i));
    claims.all ||= command.across === 'every';
  } else if (command) {
    const reads = shardReads[command.name];
    claims.all ||= reads === 'all';
    if (reads === 'arguments') claims.keys.push(...argumentsOf(frame));
  }
};

/** Claims of one command. */
export const claimsOfCommand = (payload: Buffer, commands: CommandTable<DataCommand>): Claims => {
  const frame = new Frame();
  readTrusted(frame, payload, 0);
  const claims = { keys: [], all: false };
  add(frame, commands.find(frame), claims);
  return claims;
};

/** Claims of a transaction, watched keys included. */
export const claimsOfTransaction = (payload: Buffer, commands: CommandTable<DataCommand>): Claims => {
  const { watched, commandsAt } = decodeWatched(payload);
  const claims = { keys: watched.map(({ key }) => key), all: false };
  const frame = new Frame();
  for (let at = commandsAt; at < payload.length;) {
    at = readTrusted(frame, payload, at);
    add(frame, commands.find(frame), claims);
  }
  return claims;
};
