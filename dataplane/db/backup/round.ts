import type { LogRecorder } from './log-recorder.ts';
import type { Round } from './manifest.ts';
import { patiently } from './patience.ts';

/** What does not answer for so long is given up, milliseconds. */
const patienceMs = 20_000;

/** The ends of all logs, read at once. @throws BackupError */
export const endsOf = async (
  recorders: readonly LogRecorder[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> => {
  const read = async (one: LogRecorder): Promise<readonly [string, number]> =>
    [one.shard, await patiently(() => one.end(), { signal, forMs: patienceMs })] as const;
  return new Map(await Promise.all(recorders.map(read)));
};

/** Copies up to an entry, and again where it was interrupted. @throws BackupError */
export const copyPatiently = (recorder: LogRecorder, end: number, signal: AbortSignal): Promise<void> =>
  patiently(() => recorder.copyTo(end), { signal, forMs: patienceMs });

/** Copies all logs to the ends that they have now; see `manifest.ts`. @throws BackupError */
export const takeRound = async (
  recorders: readonly LogRecorder[],
  { wall, signal }: { readonly wall: () => number; readonly signal: AbortSignal },
): Promise<Round> => {
  const through = wall();
  const ceilings = await endsOf(recorders, signal);
  const ends = await endsOf(recorders, signal);
  // One after the other: a log is mostly copied by now, and parts of it are in memory.
  for (const recorder of recorders) await copyPatiently(recorder, ends.get(recorder.shard) ?? 0, signal);
  const shards = recorders.map(
    (one) => [one.shard, { ceiling: ceilings.get(one.shard) ?? 0, ...one.recorded }] as const,
  );
  return {
    through,
    shards: Object.fromEntries(shards.map(([shard, round]) => [shard, { ...round, parts: [...round.parts] }])),
  };
};
