import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { DocumentContent, GetReply, MemberRequest } from '../member/protocol.ts';
import { SearchError } from '../search-error.ts';
import { indexMissing } from './http-error.ts';
import { type IndexRoute, ordinalOf } from './index-map.ts';
import type { MemberAccess } from './member-client.ts';

const attemptMs = 1500;

/** Reads documents by id: linearizably from the primary; when it does not answer, from a replica as it has them. */
export class DocumentReader {
  readonly #client: MemberAccess;

  constructor(client: MemberAccess) {
    this.#client = client;
  }

  /** In the order of the ids; null where there is no document. Throws SearchError. */
  async get(route: IndexRoute, ids: readonly string[]): Promise<(DocumentContent | null)[]> {
    const byShard = new Map<number, number[]>();
    for (const [place, id] of ids.entries()) {
      const ordinal = ordinalOf(id, route.of);
      const own = byShard.get(ordinal);
      if (own === undefined) byShard.set(ordinal, [place]);
      else own.push(place);
    }
    const documents: (DocumentContent | null)[] = ids.map(() => null);
    await Promise.all(
      [...byShard].map(async ([ordinal, places]) => {
        const found = await this.#fromShard(
          route,
          ordinal,
          places.map((place) => ids[place] as string),
        );
        for (const [i, place] of places.entries()) documents[place] = found[i] ?? null;
      }),
    );
    return documents;
  }

  async #fromShard(route: IndexRoute, ordinal: number, ids: readonly string[]): Promise<(DocumentContent | null)[]> {
    const shard = route.shards[ordinal];
    const documents: (DocumentContent | null)[] = [];
    while (documents.length < ids.length) {
      const reply = await this.#ask(route, shard, ids.slice(documents.length));
      if (!reply.exists) throw indexMissing(route.index);
      documents.push(...reply.documents);
    }
    return documents;
  }

  async #ask(route: IndexRoute, shard: SearchShardEntry | undefined, ids: string[]): Promise<GetReply> {
    if (shard !== undefined) {
      const primary = this.#client.primaryOf(shard);
      const request = (linearizable: boolean): MemberRequest => ({ type: 'get', ids, linearizable });
      if (primary !== null) {
        const reply = await this.#client.ask<GetReply>(shard, primary, request(true), attemptMs);
        if (reply.ok) return reply;
      }
      for (const pod of this.#client.searchOrder(shard)) {
        const reply = await this.#client.ask<GetReply>(shard, pod, request(false), attemptMs);
        if (reply.ok) return reply;
      }
    }
    throw new SearchError(
      'unavailable',
      'no_shard_available_action_exception',
      `no shard available for [get [${route.index}]]`,
    );
  }
}
