import { z } from 'zod';
import { encodeTransaction, requestKind } from '../batch/request-batch.ts';
import { fitsArity } from '../commands/command.ts';
import type { KeyCommand } from '../commands/command.ts';
import { CommandTable, keyCommands } from '../commands/table.ts';
import { DbError, errorLine } from '../db-error.ts';
import { keysOf } from '../front/dispatch.ts';
import { encodeCommand, Frame, readTrusted } from '../resp/frame.ts';
import { decodeReply, ReplyError, type Reply } from '../resp/reply.ts';
import type { DbShardEntry } from '../../../contract/directory.ts';
import type { Ranges } from './ranges.ts';
import type { Router } from './router.ts';

/**
 * The database over NATS request and reply: subject `quartet.<namespace>.database.<database>`.
 *
 *     { "commands": [["SET","a","1"], ["GET","a"]], "atomic": true }
 *     { "results": ["OK","1"], "shard": "app-0", "sequence": 17 }
 *
 * `commands` are those on keys that RESP clients send. With `atomic` they are one transaction, whose keys have to be
 * in one shard. Without it each is carried out on its own, in the order of the list within a shard. A result is a
 * string, a number, null, a list, or `{"error": "CODE text"}`; strings that are not UTF-8 are `{"base64": "…"}`, and
 * arguments may be so as well. `sequence` is the state of the log of `shard` that the results reflect; both are null
 * when several shards took part. A request that cannot be carried out at all is answered `{"error": "CODE text"}`.
 * The codes are those of `DbErrorCode`; only UNKNOWN leaves open whether something was executed.
 */
export const databaseRequest = z.object({
  commands: z
    .array(
      z
        .array(z.union([z.string(), z.number().int(), z.object({ base64: z.base64() })]))
        .min(1)
        .max(100_000),
    )
    .min(1)
    .max(10_000),
  atomic: z.boolean().default(false),
});
export type DatabaseRequest = z.infer<typeof databaseRequest>;

export type JsonReply = null | boolean | number | string | { base64: string } | { error: string } | JsonReply[];

export type DatabaseAnswer =
  { results: JsonReply[]; shard: string | null; sequence: number | null } | { error: string };

const commands = new CommandTable<KeyCommand>(keyCommands.filter(({ across }) => across !== 'every'));

const bytesOf = (argument: DatabaseRequest['commands'][number][number]): Buffer =>
  typeof argument === 'object' ? Buffer.from(argument.base64, 'base64') : Buffer.from(String(argument));

const jsonText = (bytes: Buffer): JsonReply => {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
};

const jsonOf = (reply: Reply): JsonReply => {
  if (reply instanceof ReplyError) return { error: reply.message };
  if (Buffer.isBuffer(reply)) return jsonText(reply);
  if (Array.isArray(reply)) return (reply as Reply[]).map(jsonOf);
  return typeof reply === 'bigint' ? String(reply) : (reply as JsonReply);
};

interface Routed {
  readonly shard: DbShardEntry;
  readonly payload: Buffer;
  readonly writes: boolean;
}

/** A command and its shard. @throws DbError */
const route = (args: DatabaseRequest['commands'][number], ranges: Ranges): Routed => {
  const payload = encodeCommand(args.map(bytesOf));
  const frame = new Frame();
  readTrusted(frame, payload, 0);
  const command = commands.find(frame);
  if (!command) throw new DbError('ERR', `unknown command '${frame.text(0).slice(0, 128)}'`);
  if (!fitsArity(command.arity, frame.count)) {
    throw new DbError('ERR', `wrong number of arguments for '${command.name.toLowerCase()}' command`);
  }
  const [shard, ...others] = new Set(keysOf(command, frame).map((key) => ranges.find(key)));
  if (!shard || others.length > 0)
    throw new DbError('CROSSSHARD', `the keys of ${command.name} are in different shards`);
  return { shard, payload, writes: command.flags.includes('write') };
};

interface Answered {
  readonly reply: Reply;
  readonly sequence: number;
}

const submit = (router: Router, { shard, payload, writes }: Routed, kind: number): Promise<Answered> =>
  new Promise((resolve) => {
    const answer = (reply: Buffer, sequence: number): void =>
      resolve({ reply: decodeReply(reply)?.reply ?? null, sequence });
    router.submit(shard, { kind, payload, writes, waiter: { answer } });
  });

const oneShard = (routed: readonly Routed[]): DbShardEntry | null => {
  const [shard, ...others] = new Set(routed.map((each) => each.shard));
  return shard && others.length === 0 ? shard : null;
};

const runAtomic = async (router: Router, routed: readonly Routed[]): Promise<DatabaseAnswer> => {
  const shard = oneShard(routed);
  if (!shard) throw new DbError('CROSSSHARD', 'the keys of an atomic request have to be in one shard');
  const payload = encodeTransaction(
    [],
    routed.map((each) => each.payload),
  );
  const writes = routed.some((each) => each.writes);
  const { reply, sequence } = await submit(router, { shard, payload, writes }, requestKind.transaction);
  if (reply instanceof ReplyError) return { error: reply.message };
  return { results: jsonOf(reply) as JsonReply[], shard: shard.name, sequence };
};

const runEach = async (router: Router, routed: readonly Routed[]): Promise<DatabaseAnswer> => {
  const answers = await Promise.all(routed.map((each) => submit(router, each, 0)));
  const shard = oneShard(routed);
  const sequence = Math.max(...answers.map((answer) => answer.sequence));
  return {
    results: answers.map(({ reply }) => jsonOf(reply)),
    shard: shard?.name ?? null,
    sequence: shard ? sequence : null,
  };
};

/** Carries out a request. Never rejects: what goes wrong is in the answer. */
export const answerDatabaseRequest = async (
  router: Router,
  database: string,
  body: unknown,
): Promise<DatabaseAnswer> => {
  const parsed = databaseRequest.safeParse(body);
  if (!parsed.success) return { error: `ERR malformed request: ${z.prettifyError(parsed.error)}` };
  try {
    const ranges = router.ranges(database);
    const routed = parsed.data.commands.map((args) => route(args, ranges));
    return await (parsed.data.atomic ? runAtomic(router, routed) : runEach(router, routed));
  } catch (error) {
    return { error: errorLine(error) };
  }
};

/** Subject of a database's requests; gateways share it as one queue group. `*` for all databases. */
export const databaseSubject = (namespace: string, database: string): string =>
  `quartet.${namespace}.database.${database}`;
