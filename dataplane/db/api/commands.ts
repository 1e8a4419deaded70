import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { fitsArity, keyIndexes, type KeyCommand } from '../commands/command.ts';
import { CommandTable, keyCommands } from '../commands/table.ts';
import { DbError } from '../db-error.ts';
import { planCommand, type PlannedCommand } from '../gateway/plan.ts';
import type { Ranges } from '../gateway/ranges.ts';
import type { Router } from '../gateway/router.ts';
import { requestDeadlineMs } from '../gateway/shard-link.ts';
import { maxKeyBytes } from '../limits.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { decodeReply } from '../resp/reply.ts';
import { runAtomically, type Atomic } from './atomic.ts';
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
export const planArguments = (args: z.infer<typeof commandList>[number], ranges: Ranges): PlannedCommand =>
  planPayload(encodeCommand(args.map(bytesOf)), ranges);

const planPayload = (payload: Buffer, ranges: Ranges): PlannedCommand => {
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

/** Collects, by shard, the sequence that contains what was done. */
type Sequences = Record<string, number>;

interface Running {
  readonly router: Router;
  readonly database: string;
  readonly sequences: Sequences;
  readonly deadline: number;
}

/** Carries out one command, not atomically over several shards. A part whose keys have moved is planned as a command of its own. */
const runOne = async (payload: Buffer, running: Running): Promise<Buffer> => {
  const { router, database, sequences, deadline } = running;
  const { parts, merge } = planPayload(payload, router.ranges(database));
  const replies = await Promise.all(
    parts.map(async ({ shard, payload: part }) => {
      const answer = await router.ask(shard.name, { kind: 0, payload: part, writes: true, deadline });
      if (answer.overtaken) return runOne(part, running);
      sequences[shard.name] = Math.max(sequences[shard.name] ?? 0, answer.sequence);
      return answer.reply;
    }),
  );
  return merge(replies);
};

export const runCommands = async (
  router: Router,
  database: string,
  { commands: wanted, atomic }: z.infer<typeof commandsRequest>,
): Promise<CommandsAnswer> => {
  const plan: Atomic['plan'] = (ranges) => wanted.map((args) => planArguments(args, ranges));
  if (atomic) {
    const done = await runAtomically({ plan, watched: [], database, router });
    return answer((done?.replies ?? []).map(jsonOf), done?.sequences ?? {});
  }
  // One that is wrong keeps all of them from being carried out.
  plan(router.ranges(database));
  const running = { router, database, sequences: {}, deadline: performance.now() + requestDeadlineMs };
  const replies = await Promise.all(wanted.map((args) => runOne(encodeCommand(args.map(bytesOf)), running)));
  return answer(
    replies.map((reply) => jsonOf(decodeReply(reply)?.reply ?? null)),
    running.sequences,
  );
};
