import { noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { CommandFigures } from './command-stats.ts';
import type { Server, SessionCommand } from './session.ts';

/** Bounds of what LATENCY HISTOGRAM tells, as in Redis: powers of two, microseconds. */
const bounds = Array.from({ length: 31 }, (_, i) => 2 ** i);

/** Buckets from the first that is not empty to the one that has all. */
const bucketsOf = ({ latency }: CommandFigures): [number, number][] => {
  const counts = latency.cumulative(bounds);
  const last = counts.indexOf(latency.count);
  return bounds
    .map((bound, i): [number, number] => [bound, counts[i] ?? 0])
    .filter(([, count], i) => count > 0 && (last < 0 || i <= last));
};

const writeHistogram = (reply: ReplyWriter, figures: CommandFigures): void => {
  reply.bulk(figures.name.toLowerCase());
  reply.map(2);
  reply.bulk('calls');
  reply.integer(figures.latency.count);
  reply.bulk('histogram_usec');
  const buckets = bucketsOf(figures);
  reply.map(buckets.length);
  for (const [bound, count] of buckets) {
    reply.integer(bound);
    reply.integer(count);
  }
};

const histogram = (frame: Frame, reply: ReplyWriter, { stats }: Server): void => {
  const asked = new Set(Array.from({ length: frame.count - 2 }, (_, i) => frame.word(i + 2)));
  const found = stats.commands.filter(
    ({ name, latency }) => latency.count > 0 && (asked.size === 0 || asked.has(name)),
  );
  reply.map(found.length);
  for (const figures of found) writeHistogram(reply, figures);
};

/** Redis notes events that held up its one thread; there are none here, so tools find an empty list. */
const noEvents = (_frame: Frame, reply: ReplyWriter): void => reply.array(0);

const subcommands: Readonly<Record<string, (frame: Frame, reply: ReplyWriter, server: Server) => void>> = {
  HISTOGRAM: histogram,
  LATEST: noEvents,
  HISTORY: noEvents,
  RESET: (_frame, reply) => reply.integer(0),
  DOCTOR: (_frame, reply) =>
    reply.bulk(
      'Latency events are not recorded. LATENCY HISTOGRAM tells how long commands take, SLOWLOG which were slow.',
    ),
};

export const latencyCommand: SessionCommand = {
  kind: 'session',
  keys: noKeys,
  group: 'server',
  inTransaction: 'refuse',
  name: 'LATENCY',
  arity: -2,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  summary: 'LATENCY HISTOGRAM tells how long commands take at this gateway.',
  run(_client, frame, reply, server) {
    const subcommand = subcommands[frame.word(1)];
    if (!subcommand)
      throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try LATENCY HISTOGRAM.`);
    subcommand(frame, reply, server);
  },
};
