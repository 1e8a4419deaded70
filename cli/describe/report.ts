import { moveGoesOn, type MoveStatus } from '../../crds/replica-set.ts';
import { conditionOf, showRange, type DbShard } from '../db-shards.ts';
import { table } from '../table.ts';
import { adviceFor, type Advice } from './advice.ts';
import type { Happened } from './events.ts';
import type { Live } from './live.ts';
import { membersOf, type Member } from './members.ts';

/** All that a report is made from. */
export interface ReportFacts {
  readonly shard: DbShard;
  readonly live: Live | string;
  /** The latest last. */
  readonly events: readonly Happened[];
  /** ms since the epoch. */
  readonly now: number;
}

const eventsShown = 10;

/** A length of time for people: the largest unit, and one decimal for seconds. */
export const showTime = (ms: number): string => {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
};

const showBytes = (bytes: number | undefined): string => {
  if (bytes === undefined) return 'size not known';
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
};

const count = (value: number | null): string => (value === null ? '-' : String(value));

/** The election or switch-over that made it primary tells the time; else it leads for as long as the operator has heard it. */
const primaryLine = ({ shard: { status }, events, now }: ReportFacts, members: readonly Member[]): string => {
  const { primary, term = 0 } = status ?? {};
  if (primary === undefined) return 'none: writes are refused';
  const member = members.find(({ pod }) => pod === primary);
  const made = events.findLast(({ message }) => message.startsWith(`${primary} leads with term ${term}`));
  const heard = member?.state === 'primary' ? member.stateForMs : null;
  const since =
    made !== undefined
      ? `, since ${new Date(made.at).toISOString()} (${showTime(now - made.at)})`
      : heard === null
        ? ''
        : `, for at least ${showTime(heard)}`;
  return `${primary} on ${member?.node ?? 'an unknown node'}, term ${term}${since}`;
};

const rangeLine = ({ status, spec }: DbShard): string => {
  const { range, keys, bytes } = status ?? {};
  const epoch = range === undefined ? '' : `, epoch ${range.epoch}`;
  const from = spec.splitFrom === undefined ? '' : `, split from ${spec.splitFrom.shard}`;
  return `${showRange(range)}${epoch}${from}; ${keys ?? 'unknown'} keys, ${showBytes(bytes)}`;
};

const logLine = ({ shard: { status }, live }: ReportFacts): string => {
  if (status?.log === undefined) return 'not made yet';
  const size = typeof live === 'string' ? null : live.log;
  const text = size === null ? 'size not known' : `${size.entries} entries, ${showBytes(size.bytes)}`;
  return `${status.log.stream}, ${text}`;
};

/** A move that goes on; how the last one ended the condition `Moving` tells. */
const moveLine = ({ phase, message, bytes, forBalance }: MoveStatus): string =>
  `${phase}: ${message}; ${showBytes(bytes)}${forBalance ? ', for balance' : ''}`;

const facts = (all: ReportFacts, members: readonly Member[]): string => {
  const { shard } = all;
  const splitting = conditionOf(shard, 'Splitting');
  const merging = conditionOf(shard, 'Merging') ?? conditionOf(shard, 'Merged');
  const rows: (readonly [string, string])[] = [
    ['Range', rangeLine(shard)],
    ['Primary', primaryLine(all, members)],
    ['Log', logLine(all)],
    ...(splitting === undefined ? [] : [['Split', `${splitting.reason}: ${splitting.message}`] as const]),
    ...(merging === undefined ? [] : [['Merge', `${merging.reason}: ${merging.message}`] as const]),
    ...(moveGoesOn(shard.status?.move) ? [['Move', moveLine(shard.status.move)] as const] : []),
    ...(shard.spec.split === undefined ? [] : [['Split above', shard.spec.split.above] as const]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
};

const memberTable = (members: readonly Member[]): string =>
  table(
    ['MEMBER', 'NODE', 'ZONE', 'STATE', 'FOR', 'TERM', 'APPLIED', 'LAG', 'HEARD', 'NOTE'],
    members.map((one) => [
      one.pod,
      one.node,
      one.zone,
      one.state,
      one.stateForMs === null ? '-' : showTime(one.stateForMs),
      count(one.term),
      count(one.applied),
      count(one.lag),
      one.heardMs === null ? '-' : `${showTime(one.heardMs)} ago`,
      one.note,
    ]),
  );

const conditionTable = ({ status }: DbShard, now: number): string =>
  table(
    ['CONDITION', 'STATUS', 'FOR', 'REASON', 'MESSAGE'],
    (status?.conditions ?? []).map((one) => {
      const since = showTime(Math.max(0, now - Date.parse(one.lastTransitionTime)));
      return [one.type, one.status, since, one.reason, one.message];
    }),
  );

const eventTable = (events: readonly Happened[], now: number): string =>
  table(
    ['EVENT', 'TIMES', 'LAST', 'MESSAGE'],
    events
      .slice(-eventsShown)
      .map(({ reason, count: times, at, message }) => [
        reason,
        String(times),
        `${showTime(Math.max(0, now - at))} ago`,
        message,
      ]),
  );

const adviceText = (advice: readonly Advice[]): string => {
  if (advice.length === 0) return 'WHAT TO DO\n  nothing: all is as it should be';
  return ['WHAT TO DO', ...advice.map(({ problem, todo }) => `- ${problem}\n  ${todo}`)].join('\n');
};

/** A shard on one page. Pure. */
export const reportOn = (all: ReportFacts): string => {
  const { shard, live, events, now } = all;
  const { name, namespace } = shard.metadata;
  const members = membersOf(shard, live);
  const ready = conditionOf(shard, 'Ready');
  const state = ready?.status === 'True' ? 'Ready' : `not Ready: ${ready?.reason ?? 'not seen by the operator yet'}`;
  const leaving = shard.metadata.deletionTimestamp === undefined ? '' : ', being deleted';
  return [
    `DBShard ${name} in namespace ${namespace}, database ${shard.spec.database}: ${state}${leaving}`,
    facts(all, members),
    memberTable(members) || 'no members',
    conditionTable(shard, now),
    eventTable(events, now) || 'no events in the last hour',
    adviceText(adviceFor(shard, members, live)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
};
