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
    return { position, records };
  },
  entries: async (after) => {
    const { position: newest, entries: log } = { position: shard.store.position ?? after, entries: shard.entries };
    if (after.seq + 1 < (log[0]?.seq ?? newest.seq + 1)) return null;
    const entries = log
      .filter(({ seq }) => seq > after.seq)
      .slice(0, page)
      .map(({ seq, operations }) => ({ operations, position: { ...after, seq } }));
    const position = entries.at(-1)?.position ?? after;
    return { entries, position, more: position.seq < newest.seq };
  },
  handOver: (asked) => new SplitSource(shard).handOver(asked),
  release: (asked) => new SplitSource(shard).release(asked),
});
