import type { Replayed } from '../replay.ts';

/** A place of the log of a shard. */
export interface Place extends Replayed {
  readonly shard: string;
}

interface Head {
  readonly shard: string;
  readonly rest: AsyncIterator<Replayed>;
  next: Replayed;
}

const advance = async (head: Omit<Head, 'next'>): Promise<Head | null> => {
  const { done, value } = await head.rest.next();
  return done === true ? null : { ...head, next: value };
};

/** The logs of several shards as one, in the order of their times; of equal ones, in the order of the shards. */
export async function* inOrderOfTime(logs: ReadonlyMap<string, AsyncIterable<Replayed>>): AsyncGenerator<Place> {
  const begun = [...logs].map(([shard, log]) => advance({ shard, rest: log[Symbol.asyncIterator]() }));
  let heads = (await Promise.all(begun)).filter((head) => head !== null);
  try {
    while (heads.length > 0) {
      const first = heads.reduce((least, head) => (head.next.position.time < least.next.position.time ? head : least));
      yield { shard: first.shard, ...first.next };
      const { done, value } = await first.rest.next();
      if (done === true) heads = heads.filter((head) => head !== first);
      else first.next = value;
    }
  } finally {
    for (const { rest } of heads) await rest.return?.();
  }
}
