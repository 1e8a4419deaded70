import { checkRange } from '../checks/range.ts';
import type { Ended } from '../history.ts';
import { insist, type Lane, type Place, type Worker, type Workload } from './workload.ts';
import { text } from './register.ts';

/**
 * Keys that are there all the time are read as ranges, while one client writes each of them: a range has every key of it
 * once and in order, with a value that is not older than what was acknowledged, also while shards split and merge in it.
 * KEYS, which every shard answers by itself, has them all, too, wherever in its letter a shard is split.
 */
const name = 'range';
const keysOfPart = 10;

/** A range, and all keys that are in it, sorted. */
export interface RangeInput {
  readonly from: string;
  readonly to: string;
  readonly keys: readonly string[];
}

/** `value` grows with every write of a key. */
export interface RangeWrite {
  readonly key: string;
  readonly value: number;
}

/** A key and its value. */
export type RangeRow = readonly [key: string, value: number];

const keysWith = (prefix: string): string[] =>
  Array.from({ length: keysOfPart }, (_, i) => `${prefix}${String(i).padStart(2, '0')}`);

/** One range within each letter, and one over the border between two: nothing else is above `a~` and below `z!`. */
const rangesOf = (places: readonly Place[]): RangeInput[] => {
  const within = places.map(({ letter }) => ({
    from: `${letter}-range-`,
    to: `${letter}-range.`,
    keys: keysWith(`${letter}-range-`),
  }));
  const over = places.slice(1).map(({ letter }, i) => {
    const below = places[i]?.letter ?? '';
    return {
      from: `${below}~`,
      to: `${letter}"`,
      keys: [...keysWith(`${below}~range-`), ...keysWith(`${letter}!range-`)],
    };
  });
  return [...within, ...over];
};

const write = (worker: Worker, input: RangeWrite): Promise<Ended<unknown>> =>
  worker.history.record({ workload: name, client: worker.name, f: 'write', input }, () =>
    worker.client.send('SET', input.key, String(input.value)),
  );

const read = (worker: Worker, input: RangeInput, reverse: boolean): Promise<Ended<RangeRow[]>> =>
  worker.history.record({ workload: name, client: worker.name, f: 'read', input }, async () => {
    const order = reverse ? ['REVERSE'] : [];
    const got = await worker.client.send('QRANGE', input.from, input.to, ...order);
    if (got.outcome !== 'ok') return got;
    const rows = (got.output as readonly (readonly unknown[])[]).map(([key, value]): RangeRow => [
      text(key),
      Number(text(value)),
    ]);
    return { outcome: 'ok', output: reverse ? rows.toReversed() : rows };
  });

const readKeys = (worker: Worker, keys: readonly string[]): Promise<Ended<string[]>> =>
  worker.history.record({ workload: name, client: worker.name, f: 'keys', input: keys }, async () => {
    const got = await worker.client.send('KEYS', '*range-*');
    return got.outcome === 'ok' ? { outcome: 'ok', output: (got.output as readonly unknown[]).map(text).sort() } : got;
  });

const writer = ({ keys }: RangeInput): Lane['step'] => {
  let value = 1;
  return async (worker) => {
    const key = keys[worker.random.below(keys.length)] ?? '';
    await write(worker, { key, value: value++ });
  };
};

export const range = (places: readonly Place[]): Workload => {
  const ranges = rangesOf(places);
  const allKeys = ranges.flatMap(({ keys }) => keys).sort();
  const [{ gateways, members } = { gateways: [], members: [] }] = places;
  return {
    name,
    lanes: () => [
      ...gateways.map((address, i) => ({
        name: `range-keys-${i}`,
        address,
        // It looks at every key that there is.
        everyMs: 400,
        step: async (worker: Worker) => void (await readKeys(worker, allKeys)),
      })),
      ...ranges.flatMap((each, i) => [
        ...gateways.slice(0, 1).map((address) => ({
          name: `range-${i}-writer`,
          address,
          everyMs: 60,
          step: writer(each),
        })),
        ...[...gateways, ...members.slice(0, 1)].map((address, j) => ({
          name: `range-${i}-reader-${j}`,
          address,
          everyMs: 150,
          step: async (worker: Worker) => void (await read(worker, each, worker.random.chance(0.5))),
        })),
      ]),
    ],
    async setUp(worker) {
      const words = allKeys.flatMap((key) => [key, '0']);
      await insist(() => worker.client.send('MSET', ...words), 'write the keys of ranges');
    },
    async finish(worker) {
      for (const each of ranges) await insist(() => read(worker, each, false), 'read the ranges');
    },
    check: checkRange,
  };
};
