import { syntaxError } from '../commands/arguments.ts';
import { noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { formatCursor, parseCursor } from '../feed/cursor.ts';
import { maxKeyBytes } from '../limits.ts';
import type { SessionCommand } from './session.ts';

const watching = { kind: 'session', keys: noKeys, group: 'pubsub', inTransaction: 'refuse' } as const;

/**
 * `QWATCH prefix [FROM cursor]` answers a cursor; messages of `watches.ts` follow, each with the cursor to go on from
 * after it. Without FROM it begins about now: at most the last quarter second comes besides.
 */
const qwatch: SessionCommand = {
  ...watching,
  name: 'QWATCH',
  arity: -2,
  flags: ['noscript'],
  summary:
    'QWATCH prefix [FROM cursor] tells every change of keys with a prefix, and resumes without loss or doubling.',
  run(client, frame, reply, { router, watches }) {
    if (frame.count !== 2 && (frame.count !== 4 || frame.word(2) !== 'FROM')) throw syntaxError();
    if (frame.lengthOf(1) > maxKeyBytes) throw new DbError('ERR', `a prefix exceeds the limit of ${maxKeyBytes} bytes`);
    const { database } = client.session;
    const prefix = frame.key(1);
    const ranges = router.ranges(database);
    const shards = ranges.withPrefix(prefix);
    const cursor =
      frame.count === 2
        ? new Map(shards.map((shard) => [shard.name, router.sequenceOf(shard) + 1]))
        : parseCursor(
            frame.key(3),
            shards.map(({ name }) => name),
            shards.some((shard) => ranges.epochOf(shard) > 0),
          );
    reply.bulk(formatCursor(cursor));
    watches.start(client, { database, prefix, cursor });
  },
};

const qunwatch: SessionCommand = {
  ...watching,
  name: 'QUNWATCH',
  arity: 1,
  flags: ['noscript'],
  summary: 'Ends the watch of this connection.',
  run(client, _frame, reply, { watches }) {
    watches.forget(client);
    reply.ok();
  },
};

export const watchCommands: readonly SessionCommand[] = [qwatch, qunwatch];
