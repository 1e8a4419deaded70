import type { Operation } from '../history.ts';
import type { RangeInput, RangeRow, RangeWrite } from '../workloads/range.ts';
import type { Verdict } from '../workloads/workload.ts';

type Write = Operation<'write', RangeWrite, unknown>;
type Read = Operation<'read', RangeInput, readonly RangeRow[]>;
type Keys = Operation<'keys', readonly string[], readonly string[]>;

/** What the one writer of a key did; its values grow. */
interface KeyHistory {
  readonly byValue: ReadonlyMap<number, Write>;
  /** In their order. */
  readonly acknowledged: readonly Write[];
}

/**
 * - other keys: a range, or KEYS, lacks a key of it, has one twice or out of order, or one that is not in it
 * - old: a value below one that was acknowledged before the read began
 * - phantom: a value that nobody had tried to write before the read ended, or that was refused
 */
export const checkRange = (operations: readonly Operation[]): Verdict => {
  const writes = operations.filter(({ f }) => f === 'write') as Write[];
  const histories = new Map(
    [...Map.groupBy(writes, ({ input }) => input.key)].map(([key, its]) => [key, historyOf(its)]),
  );
  const answered = operations.filter(({ outcome }) => outcome === 'ok');
  const reads = answered.filter(({ f }) => f === 'read') as Read[];
  const listings = answered.filter(({ f }) => f === 'keys') as Keys[];
  const anomalies = [
    ...reads.flatMap((read) => anomaliesOf(read, histories)),
    ...listings.flatMap(({ input, output, start }) => otherKeys(`KEYS at ${Math.round(start)}`, input, output ?? [])),
  ];
  return { checked: operations.length, anomalies };
};

const historyOf = (writes: readonly Write[]): KeyHistory => ({
  byValue: new Map(writes.map((write) => [write.input.value, write])),
  acknowledged: writes.filter(({ outcome }) => outcome === 'ok'),
});

const anomaliesOf = (read: Read, histories: ReadonlyMap<string, KeyHistory>): string[] => {
  const rows = read.output ?? [];
  const { from, to, keys } = read.input;
  const found = rows.map(([key]) => key);
  const others = otherKeys(`${from} to ${to} at ${Math.round(read.start)}`, keys, found);
  if (others.length > 0) return others;
  return rows.flatMap(([key, value]) => valueAnomaly(value, read, histories.get(key)).map((what) => `${what}: ${key}`));
};

const otherKeys = (where: string, keys: readonly string[], found: readonly string[]): string[] =>
  found.join(' ') === keys.join(' ') ? [] : [`other keys: ${where}: ${differences(keys, found)}`];

const differences = (keys: readonly string[], found: readonly string[]): string => {
  const lacking = keys.filter((key) => !found.includes(key));
  const twice = found.filter((key, i) => found.indexOf(key) !== i);
  const foreign = found.filter((key) => !keys.includes(key));
  return `lacks ${lacking.join(' ') || 'none'}, twice ${twice.join(' ') || 'none'}, foreign ${foreign.join(' ') || 'none'}`;
};

/** 0 was written before all. */
const valueAnomaly = (value: number, read: Read, history: KeyHistory | undefined): string[] => {
  const newest = history === undefined ? 0 : newestBefore(history.acknowledged, read.start);
  if (value < newest) return [`old: ${value} instead of ${newest}`];
  const write = history?.byValue.get(value);
  const isPossible = value === 0 || (write !== undefined && write.outcome !== 'fail' && write.start < read.end);
  return isPossible ? [] : [`phantom: ${value}`];
};

/** The newest value that was acknowledged before a moment. */
const newestBefore = (acknowledged: readonly Write[], moment: number): number => {
  let [low, high] = [0, acknowledged.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((acknowledged[middle]?.end ?? Infinity) < moment) low = middle + 1;
    else high = middle;
  }
  return acknowledged[low - 1]?.input.value ?? 0;
};
