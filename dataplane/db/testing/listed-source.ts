import { readSnapshot } from '../store/snapshot-codec.ts';
import type { Source } from '../split/intake.ts';
import { SplitSource } from '../split/source.ts';
import type { ListedShard } from './listed-shard.ts';

/** Entries that are read at once: few, so that there is something between two reads. */
const page = 3;

/** A shard as the new one sees it that is split off. */
export const sourceOf = (shard: ListedShard): Source => ({
  snapshot: async () => {
    const { position, chunks, release } = await shard.store.snapshot();
    const records = (async function* () {
      yield* readSnapshot(chunks);
      await release();
    })();
    return { seq: position.seq, records };
  },
  entries: async (after) => {
    const newest = shard.store.position?.seq ?? 0;
    const first = shard.entries[0]?.seq ?? newest + 1;
    if (after + 1 < first) return null;
    const entries = shard.entries.filter(({ seq }) => seq > after).slice(0, page);
    const seq = entries.at(-1)?.seq ?? newest;
    return { entries, seq, more: seq < newest };
  },
  handOver: (asked) => new SplitSource(shard).handOver(asked),
  release: (asked) => new SplitSource(shard).release(asked),
});
