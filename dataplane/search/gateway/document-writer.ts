import { randomBytes } from 'node:crypto';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { WriteItem, WriteOutcome } from '../primary/write-item.ts';
import type { IndexAdmin } from './index-admin.ts';
import { type IndexRoute, ordinalOf } from './index-map.ts';
import type { PrimaryRequests } from './primary-requests.ts';

/** A write without what the gateway adds. */
export type WriteRequest = Omit<WriteItem, 'nonce'>;

/** Largest document: an entry of the log holds it, and a message in which it is quoted. */
export const maxDocumentBytes = 3.5 * 1024 * 1024;
/** Writes that travel together. */
const chunkItems = 500;
const chunkBytes = 1024 * 1024;

/** A new document id: 120 random bits. */
export const newId = (): string => randomBytes(15).toString('base64url');

const newNonce = (): string => randomBytes(12).toString('base64url');

interface Placed {
  readonly item: WriteItem;
  /** Its place in the request. */
  readonly place: number;
}

const failure = (status: number, type: string, reason: string): WriteOutcome => ({
  ok: false,
  retry: 'no',
  status,
  type,
  reason,
});

/** Distributes writes to the primaries of their shards. */
export class DocumentWriter {
  readonly #primaries: PrimaryRequests;
  readonly #admin: IndexAdmin;

  constructor(primaries: PrimaryRequests, admin: IndexAdmin) {
    this.#primaries = primaries;
    this.#admin = admin;
  }

  /** Outcomes in the order of the writes. Writes to one shard happen in order. Creates the index when it is missing. */
  async write(route: IndexRoute, requests: readonly WriteRequest[]): Promise<WriteOutcome[]> {
    const placed = requests.map((request, place): Placed => ({ place, item: { ...request, nonce: newNonce() } }));
    const outcomes = await this.#scatter(route, placed);
    const missing = placed.filter(({ place }) => {
      const outcome = outcomes[place];
      return outcome?.ok === false && outcome.type === 'index_not_found_exception';
    });
    if (missing.length === 0) return outcomes;
    await this.#admin.ensure(route);
    const again = await this.#scatter(route, missing);
    for (const { place } of missing) outcomes[place] = again[place] as WriteOutcome;
    return outcomes;
  }

  async #scatter(route: IndexRoute, placed: readonly Placed[]): Promise<WriteOutcome[]> {
    const outcomes: WriteOutcome[] = [];
    const byShard = new Map<number, Placed[]>();
    for (const one of placed) {
      if (
        (one.item.source?.length ?? 0) > maxDocumentBytes ||
        Buffer.byteLength(one.item.source ?? '') > maxDocumentBytes
      ) {
        outcomes[one.place] = failure(
          413,
          'illegal_argument_exception',
          `the document is larger than ${maxDocumentBytes} bytes`,
        );
        continue;
      }
      const ordinal = ordinalOf(one.item.id, route.of);
      const own = byShard.get(ordinal);
      if (own === undefined) byShard.set(ordinal, [one]);
      else own.push(one);
    }
    await Promise.all([...byShard].map(([ordinal, own]) => this.#toShard(route, ordinal, own, outcomes)));
    return outcomes;
  }

  async #toShard(
    route: IndexRoute,
    ordinal: number,
    placed: readonly Placed[],
    outcomes: WriteOutcome[],
  ): Promise<void> {
    const shard = route.shards[ordinal];
    for (const chunk of chunksOf(placed)) {
      const results =
        shard === undefined ? chunk.map(() => missingShard(route, ordinal)) : await this.#send(shard, chunk);
      for (const [i, { place }] of chunk.entries()) outcomes[place] = results[i] as WriteOutcome;
    }
  }

  #send(shard: SearchShardEntry, chunk: readonly Placed[]): Promise<WriteOutcome[]> {
    return this.#primaries.write(
      shard,
      chunk.map(({ item }) => item),
    );
  }
}

function missingShard(route: IndexRoute, ordinal: number): WriteOutcome {
  return failure(
    503,
    'unavailable_shards_exception',
    `[${route.index}][${ordinal}] no SearchShard provides this shard`,
  );
}

function* chunksOf(placed: readonly Placed[]): Generator<Placed[]> {
  let chunk: Placed[] = [];
  let bytes = 0;
  for (const one of placed) {
    const size = (one.item.source?.length ?? 0) + 100;
    if (chunk.length > 0 && (chunk.length >= chunkItems || bytes + size > chunkBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(one);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
