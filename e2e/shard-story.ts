import type { Resources } from './resources.ts';

/** What kubectl showed of shards while something was done with them. */
export interface ShardStory {
  /** Each change, as `NAME: Ready REASON, CONDITION REASON`. */
  readonly lines: readonly string[];
  /** Each time that ranges did not fit. */
  readonly misfits: readonly string[];
  stop(): Promise<void>;
}

/** Looks at shards all the time, at Ready and at another condition, until it is stopped. */
export const followShards = (resources: Resources, names: readonly string[], condition: string): ShardStory => {
  const lines: string[] = [];
  const misfits: string[] = [];
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      const items = (await resources.list('dbshards')).filter((it) => names.includes(it.metadata.name));
      for (const { metadata, status } of items) {
        const of = (type: string) => status?.conditions?.find((one) => one.type === type);
        const line = `${metadata.name}: Ready ${of('Ready')?.reason}, ${condition} ${of(condition)?.reason ?? '-'}`;
        if (lines.findLast((one) => one.startsWith(`${metadata.name}:`)) !== line) lines.push(line);
        const fit = of('RangeConsistent');
        if (fit?.status === 'False') misfits.push(`${metadata.name}: ${fit.message}`);
      }
    }
  })();
  return {
    lines,
    misfits,
    async stop() {
      stop.abort();
      await running;
    },
  };
};
