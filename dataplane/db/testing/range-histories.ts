import { unsplit, type DbShardEntry } from '../../../contract/directory.ts';
import type { RangeReport } from '../../../contract/heartbeat.ts';

/** What a shard tells of its range. */
type Range = Partial<RangeReport> & { start: string; end: string; epoch: number };

/** A shard at one moment: its log, and what the directory holds if it was written then. */
export interface Moment {
  readonly report: Range | null;
  readonly entry: DbShardEntry | null;
}

const reportOf = ({ report }: Moment): Range => {
  if (report === null) throw new Error('the shard was not heard yet');
  return report;
};

const entryOf = ({ entry }: Moment): DbShardEntry => {
  if (entry === null) throw new Error('the shard is not known yet');
  return entry;
};

/** A shard of the directory that was never split. */
export const shardOf = (name: string, start = '', end = '', conflict: string | null = null): DbShardEntry => ({
  kind: 'db',
  namespace: 'n',
  ...unsplit,
  database: 'd',
  log: null,
  members: [],
  primary: null,
  term: 0,
  name,
  start,
  end,
  conflict,
});

/** What happens to the shard of a number: it is split at a place, or takes over its upper neighbour. */
export type Step = readonly [which: number, place: number, merges: boolean];

/** A shard takes over its upper neighbour: what each tells and what the directory holds, one step after the other. */
const mergeOf = (low: Moment, up: Moment, names: readonly [string, string]): [string, Moment][] => {
  const [lowName, upName] = names;
  const [own, gone] = [reportOf(low), reportOf(up)];
  const epoch = Math.max(own.epoch, gone.epoch) + 2;
  const wanted = { ...entryOf(low), mergeFrom: { shard: upName } };
  const begins = { start: own.start, end: own.end, epoch: epoch - 1 };
  const emptied = { start: gone.start, end: gone.start, epoch };
  const opened = { start: own.start, end: gone.end, epoch };
  const handed = { to: lowName, start: gone.start, end: gone.end };
  return [
    [lowName, { report: own, entry: wanted }],
    [lowName, { report: begins, entry: wanted }],
    [upName, { report: { ...emptied, handed }, entry: up.entry }],
    [lowName, { report: opened, entry: wanted }],
    [upName, { report: emptied, entry: up.entry }],
    [lowName, { report: opened, entry: { ...wanted, ...opened, mergeFrom: null } }],
    [upName, { report: emptied, entry: { ...entryOf(up), ...emptied } }],
  ];
};

/** A shard splits off from another one. */
const splitOf = (from: string, moment: Moment, name: string, at: string): [string, Moment][] => {
  const own = reportOf(moment);
  const epoch = own.epoch + 1;
  const entry: DbShardEntry = { ...shardOf(name), serves: false, splitFrom: { shard: from, at } };
  const shorter = { start: own.start, end: at, epoch };
  const less = { ...entryOf(moment), ...shorter };
  const opened = { start: at, end: own.end, epoch };
  return [
    [name, { report: null, entry }],
    [name, { report: { start: at, end: at, epoch }, entry }],
    [from, { report: { ...shorter, handed: { to: name, start: at, end: own.end } }, entry: less }],
    [name, { report: opened, entry: { ...entry, ...opened, serves: true } }],
    [from, { report: shorter, entry: less }],
  ];
};

/** What one step does; nothing if it cannot be. `serving`: shards that have keys, `name`: of a new one. */
const movesOf = (
  serving: readonly [string, Moment][],
  name: string,
  [which, place, merges]: Step,
): [string, Moment][] => {
  const picked = serving[which % serving.length];
  if (!picked) return [];
  const [from, moment] = picked;
  const own = reportOf(moment);
  if (merges) {
    const upper = serving.find(([, each]) => own.end !== '' && reportOf(each).start === own.end);
    return upper ? mergeOf(moment, upper[1], [from, upper[0]]) : [];
  }
  const at = 'bcdefghijk'.charAt(place);
  return at > own.start && (own.end === '' || at < own.end) ? splitOf(from, moment, name, at) : [];
};

/**
 * Histories of shards: each splits off from one that serves, hands over, opens and releases, or one takes over its upper
 * neighbour, one step at a time.
 */
export const historiesOf = (steps: readonly Step[]): Map<string, Moment[]> => {
  const moments = new Map<string, Moment[]>();
  const now = new Map<string, Moment>();
  const set = (name: string, moment: Moment): void => {
    now.set(name, moment);
    for (const [each, at] of now) moments.set(each, [...(moments.get(each) ?? []), at]);
  };
  set('s0', { report: { start: '', end: '', epoch: 0 }, entry: shardOf('s0') });
  for (const [i, step] of steps.entries()) {
    const serving = [...now].filter(
      ([, { report }]) => (report !== null && report.start !== report.end) || report?.start === '',
    );
    for (const [name, moment] of movesOf(serving, `s${i + 1}`, step)) set(name, moment);
  }
  const total = Math.max(...[...moments.values()].map((each) => each.length));
  for (const [name, each] of moments) {
    moments.set(name, [...Array.from({ length: total - each.length }, () => ({ report: null, entry: null })), ...each]);
  }
  return moments;
};
