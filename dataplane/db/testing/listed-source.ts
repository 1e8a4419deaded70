import { pino } from 'pino';
import { LogHolds } from '../../replica/log-holds.ts';
import { readSnapshot } from '../store/snapshot-codec.ts';
import { Planner } from '../split/planner.ts';
import { decodeSplitAnswer, encodeSplitRequest, type SplitAnswers, type SplitRequest } from '../split/protocol.ts';
import { SplitServer } from '../split/server.ts';
import { SplitSource } from '../split/source.ts';
import type { WorkerOptions } from '../split/worker.ts';
import type { ListedShard } from './listed-shard.ts';

/** Entries that are read at once: few, so that there is something between two reads. */
const page = 3;

/** A shard as the one sees it that takes its keys over. Requests go through what they are on the wire. */
export const sourceOf = (shard: ListedShard): ReturnType<WorkerOptions['source']> => {
  const ask = async <T extends SplitRequest['type']>(
    request: Extract<SplitRequest, { type: T }>,
  ): Promise<SplitAnswers[T]> => {
    const server = new SplitServer({
      planner: new Planner(shard),
      source: new SplitSource(shard),
      holds: new LogHolds(),
      log: pino({ level: 'silent' }),
    });
    return decodeSplitAnswer(request.type as T, await server.respond(encodeSplitRequest(request)));
  };
  return {
    plan: (at) => ask({ type: 'plan', at }),
    planMerge: () => ask({ type: 'plan-merge' }),
    bar: (asked) => ask({ type: 'bar', ...asked }),
    keep: async () => void (await ask({ type: 'keep', to: 'right', after: 0 })),
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
    handOver: (asked) => ask({ type: 'hand-over', ...asked }),
    release: async (asked) => void (await ask({ type: 'release', ...asked })),
  };
};
