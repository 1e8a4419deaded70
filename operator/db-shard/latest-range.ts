import { dbShardEntry } from '../../contract/directory.ts';

const read = (text: string) => {
  try {
    const { success, data } = dbShardEntry.safeParse(JSON.parse(text));
    return success ? data : null;
  } catch {
    return null;
  }
};

/**
 * What to write in place of a shard's document: as wanted, but with the range that is published already when that has a
 * higher epoch. So an operator that has just started and has heard nobody yet cannot take back what another one knew.
 * Another log means another shard. Pure.
 */
export const withLatestRange = (published: string, wanted: string): string => {
  // most are as wanted: to parse each of a thousand documents whenever one changes took half a minute at a start
  if (published === wanted) return wanted;
  const [held, next] = [read(published), read(wanted)];
  if (held === null || next === null || held.log?.created !== next.log?.created) return wanted;
  if (held.epoch <= next.epoch) return wanted;
  const { start, end, epoch, serves } = held;
  return JSON.stringify({ ...next, start, end, epoch, serves });
};
