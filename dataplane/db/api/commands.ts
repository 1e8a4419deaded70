import { z } from 'zod';
import { fitsArity, keyIndexes, type KeyCommand } from '../commands/command.ts';
import { CommandTable, keyCommands } from '../commands/table.ts';
import { DbError } from '../db-error.ts';
import { planCommand, type PlannedCommand } from '../gateway/plan.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { maxKeyBytes } from '../limits.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { runAtomically } from './atomic.ts';
import { bytesInJson, bytesOf, jsonOf, type JsonReply } from './json.ts';

/** Commands on keys, as RESP clients send them: `["SET", "a", "1"]`. */
export const commandList = z
  .array(
    z
      .array(z.union([bytesInJson, z.number().int()]))
      .min(1)
      .max(100_000),
  )
  .max(10_000);

/**
 * `quartet.<namespace>.database.<database>`: commands on keys.
 *
 *     { "commands": [["SET","a","1"], ["GET","a"]], "atomic": true }
 *     { "results": ["OK","1"], "shard": "app-0", "sequence": 17, "sequences": { "app-0": 17 } }
 *
 * With `atomic` they are one transaction, over as many shards as it takes. Without it each is carried out on its own, in
 * the order of the list within a shard. `shard` and `sequence` are null when several shards took part.
 */
export const commandsRequest = z.object({ commands: commandList.min(1), atomic: z.boolean().default(false) });

export interface CommandsAnswer {
  readonly results: JsonReply[];
  readonly shard: string | null;
  readonly sequence: number | null;
  readonly sequences: Readonly<Record<string, number>>;
}

const commands = new CommandTable<KeyCommand>(keyCommands.filter(({ across }) => across !== 'every'));

/** A command and its shards. @throws DbError */
export const planArguments = (args: z.infer<typeof commandList>[number], ranges: Ranges): PlannedCommand => {
  const payload = encodeCommand(args.map(bytesOf));
  const frame = new Frame();
  readTrusted(frame, payload, 0);
  const command = commands.find(frame);
  if (!command) throw new DbError('ERR', `unknown command '${frame.text(0).slice(0, 128)}'`);
  if (!fitsArity(command.arity, frame.count)) {
    throw new DbError('ERR', `wrong number of arguments for '${command.name.toLowerCase()}' command`);
  }
  const keys = keyIndexes(command.keys, frame).map((i) => frame.key(i));
  if (keys.some((key) => key.length > maxKeyBytes)) {
    throw new DbError('ERR', `a key exceeds the limit of ${maxKeyBytes} bytes`);
  }
  const planned = planCommand(command, frame, keys, ranges);
  if (command.name === 'MSETNX' && planned.parts.length > 1) {
    throw new DbError('CROSSSHARD', 'MSETNX with keys in different shards cannot be part of a transaction');
  }
  return planned;
};

const answer = (results: JsonReply[], sequences: Readonly<Record<string, number>>): CommandsAnswer => {
  const [only, ...others] = Object.entries(sequences);
  const [shard, sequence] = only && others.length === 0 ? only : [null, null];
  return { results, shard, sequence, sequences };
};

const runEach = async (router: Router, planned: readonly PlannedCommand[]): Promise<CommandsAnswer> => {
  const sequences: Record<string, number> = {};
  const runOne = async ({ parts, merge }: PlannedCommand): Promise<JsonReply> => {
    const replies = await Promise.all(
      parts.map(async ({ shard, payload }) => {
        const { reply, sequence } = await router.ask(shard.name, { kind: 0, payload, writes: true });
        sequences[shard.name] = Math.max(sequences[shard.name] ?? 0, sequence);
        return reply;
      }),
    );
    return jsonOf(decodeReply(merge(replies))?.reply ?? null);
  };
  return answer(await Promise.all(planned.map(runOne)), sequences);
};

export const runCommands = async (
  router: Router,
  database: string,
  request: z.infer<typeof commandsRequest>,
): Promise<CommandsAnswer> => {
  const ranges = router.ranges(database);
  const planned = request.commands.map((args) => planArguments(args, ranges));
  if (!request.atomic) return runEach(router, planned);
  const done = await runAtomically({ planned, watched: [], ranges, router });
  return answer((done?.replies ?? []).map(jsonOf), done?.sequences ?? {});
};
