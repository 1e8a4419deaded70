import { performance } from 'node:perf_hooks';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import type { DocumentContent, FetchReply, MemberRequest, PrepareReply, SearchReply } from '../member/protocol.ts';
import { parseSearchRequest, type SearchRequest } from '../query/search-request.ts';
import { addStatistics, type Statistics } from '../scoring/statistics.ts';
import { SearchError, type SearchErrorCode } from '../search-error.ts';
import { gather, hitJson, type PageHit, type ShardHits, totalJson } from './gather.ts';
import { indexMissing } from './http-error.ts';
import type { IndexRoute } from './index-map.ts';
import type { Answer, MemberAccess } from './member-client.ts';
import { ResultCache } from './result-cache.ts';

/** After this long the answer is made of what there is. */
const softTimeoutMs = 3000;
/** One try at one member. */
const attemptMs = 1500;
/**
 * The same in the first phase. Not shorter: what a replica says in the primary's place may miss the last writes, so it is
 * asked only when the primary is dead or stuck.
 */
const prepareMs = 1000;
/** A page of at most this many hits comes with their contents in one phase. */
const inlineLimit = 30;
/** How long a replica may catch up with the primary. */
const catchUpMs = 300;

/** Why a shard is missing from an answer. */
interface ShardFailure {
  readonly shard: number;
  readonly index: string;
  readonly node: string | null;
  readonly reason: { readonly type: string; readonly reason: string };
  readonly badRequest: boolean;
}

type PerShard<T> = {
  readonly ordinal: number;
  readonly entry: SearchShardEntry;
  readonly pod: string;
  readonly value: T;
};

/** A shard, and its members in the order in which they are asked. */
interface Target {
  readonly ordinal: number;
  readonly entry: SearchShardEntry | undefined;
  readonly pods: readonly string[];
}

/** What a search answers, without the time it took. */
export interface SearchAnswer {
  /** JSON text: `{ timed_out, _shards, hits }` or for counts `{ count, _shards }`. */
  readonly body: string;
  readonly source: 'cache' | 'index';
  /** How often this answer was given from the cache. */
  readonly cacheHits: number;
}

/** Scatters a search to one replica of each shard, and gathers. */
export class SearchCoordinator {
  readonly #client: MemberAccess;
  readonly #cache = new ResultCache(() => performance.now());

  constructor(client: MemberAccess) {
    this.#client = client;
  }

  /** Throws SearchError: bad-request, index-missing, or unavailable when no shard answers. */
  async search(route: IndexRoute, body: unknown): Promise<SearchAnswer> {
    const request = parseSearchRequest(body);
    const run = new SearchRun(this.#client, route, { request, body });
    const version = await run.prepare();
    const key = ResultCache.key(route.index, body);
    const cacheable = version !== null && !/"now[+-]?/.test(JSON.stringify(body) ?? '');
    const known = cacheable ? this.#cache.get(key, version) : null;
    if (known !== null) return { body: known.value, source: 'cache', cacheHits: known.hits };
    const { json, whole } = await run.execute();
    const text = JSON.stringify(json);
    if (whole && cacheable) this.#cache.set(key, version, text);
    return { body: text, source: 'index', cacheHits: 0 };
  }

  /** How many documents match. */
  async count(route: IndexRoute, query: unknown): Promise<object> {
    const body = { size: 0, track_total_hits: true, ...(query !== undefined && { query }) };
    const run = new SearchRun(this.#client, route, { request: parseSearchRequest(body), body });
    await run.prepare();
    return run.count();
  }
}

class SearchRun {
  readonly #client: MemberAccess;
  readonly #route: IndexRoute;
  readonly #request: SearchRequest;
  readonly #body: unknown;
  readonly #deadline: number;
  readonly #failures = new Map<number, ShardFailure>();
  #prepared: PerShard<PrepareReply>[] = [];
  #timedOut = false;

  constructor(client: MemberAccess, route: IndexRoute, { request, body }: { request: SearchRequest; body: unknown }) {
    this.#client = client;
    this.#route = route;
    this.#request = request;
    this.#body = body;
    this.#deadline = performance.now() + (request.timeoutMs ?? softTimeoutMs);
  }

  /**
   * Asks the primary of each shard (or any replica when it does not answer) for statistics and its last change. Answers
   * the version of the index: the same version, the same results. Null: a shard is missing, nothing can be said.
   */
  async prepare(): Promise<string | null> {
    const query = (this.#body as { query?: unknown } | null | undefined)?.query;
    const message: MemberRequest = { type: 'prepare', query };
    const replies = await Promise.all(
      this.#route.shards.map((entry, ordinal) =>
        this.#first<PrepareReply>({ ordinal, entry, pods: this.#primaryFirst(entry) }, () => message, prepareMs),
      ),
    );
    this.#prepared = replies.filter((reply) => reply !== null);
    this.#throwIfAllFailed(this.#prepared.length);
    if (this.#prepared.every(({ value }) => value.uuid === null)) throw indexMissing(this.#route.index);
    if (this.#failures.size > 0) return null;
    return this.#prepared.map(({ value }) => `${value.uuid}:${value.changed}`).join(' ');
  }

  #primaryFirst(entry: SearchShardEntry | undefined): string[] {
    if (entry === undefined) return [];
    const primary = this.#client.primaryOf(entry);
    const others = this.#client.searchOrder(entry).filter((pod) => pod !== primary);
    return primary === null ? others : [primary, ...others];
  }

  /** Tries members in turn; notes a failure when none answers. */
  async #first<T extends object>(
    { ordinal, entry, pods }: Target,
    message: () => MemberRequest,
    limitMs = attemptMs,
  ): Promise<PerShard<T> | null> {
    let last: Answer<T> | null = null;
    let node: string | null = null;
    if (entry === undefined) return this.#fail(ordinal, null, 'no SearchShard provides this shard');
    for (const pod of pods) {
      const left = this.#deadline - performance.now();
      if (left <= 0) {
        this.#timedOut = true;
        break;
      }
      node = pod;
      last = await this.#client.ask<T>(entry, pod, message(), Math.min(limitMs, left));
      if (last.ok) return { ordinal, entry, pod, value: last };
      if (last.code === 'bad-request') break;
    }
    return this.#fail(ordinal, node, last?.ok === false ? last.reason : 'no replica is known', last);
  }

  #fail(ordinal: number, node: string | null, reason: string, answer: Answer<object> | null = null): null {
    const refused = answer !== null && !answer.ok ? answer : null;
    this.#failures.set(ordinal, {
      shard: ordinal,
      index: this.#route.index,
      node,
      reason: { type: refused?.errorType ?? 'no_shard_available_action_exception', reason },
      badRequest: (refused?.code as SearchErrorCode | undefined) === 'bad-request',
    });
    return null;
  }

  #throwIfAllFailed(answered: number): void {
    if (answered > 0) return;
    const failures = [...this.#failures.values()];
    const bad = failures.find(({ badRequest }) => badRequest);
    if (bad !== undefined) throw new SearchError('bad-request', bad.reason.type, bad.reason.reason);
    throw new SearchError(
      'unavailable',
      'search_phase_execution_exception',
      `all shards failed: ${failures[0]?.reason.reason ?? ''}`,
    );
  }

  async #query(limit: number): Promise<(ShardHits & PerShard<SearchReply>)[]> {
    const statistics = addStatistics(this.#prepared.map(({ value }) => value.statistics));
    const found = await Promise.all(
      this.#prepared
        .filter(({ value }) => value.uuid !== null)
        .map(({ ordinal, entry, value }) =>
          this.#first<SearchReply>({ ordinal, entry, pods: this.#client.searchOrder(entry) }, () =>
            this.#message(statistics, value.changed, limit),
          ),
        ),
    );
    const shards = found.filter((shard) => shard !== null).map((shard) => ({ ...shard, reply: shard.value }));
    this.#throwIfAllFailed(shards.length);
    return shards;
  }

  #message(statistics: Statistics, changed: number, limit: number): MemberRequest {
    const left = this.#deadline - performance.now();
    return {
      type: 'search',
      body: this.#body,
      statistics,
      changed,
      waitMs: Math.min(catchUpMs, Math.max(0, left)),
      limit,
      inline: limit <= inlineLimit,
    };
  }

  async execute(): Promise<{ json: object; whole: boolean }> {
    const limit = this.#request.from + this.#request.size;
    const shards = await this.#query(this.#request.size === 0 ? 0 : limit);
    const page = gather(shards, this.#request);
    const contents = await this.#contents(page, shards);
    const hits = page.map(({ hit }, place) => hitJson(this.#route.index, hit, contents[place], this.#request));
    const best = this.#request.sort === null ? (page[0]?.hit.score ?? null) : null;
    const maxScore =
      this.#request.from === 0 ? best : shards.reduce((max, { reply }) => Math.max(max, reply.hits[0]?.score ?? 0), 0);
    const total = totalJson(shards, this.#request);
    const json = {
      timed_out: this.#timedOut,
      _shards: this.#shardsJson(),
      hits: { ...(total !== undefined && { total }), max_score: this.#request.sort === null ? maxScore : null, hits },
    };
    return { json, whole: this.#failures.size === 0 };
  }

  async count(): Promise<object> {
    const shards = await this.#query(0);
    const count = shards.reduce((sum, { reply }) => sum + reply.total, 0);
    return { count, _shards: this.#shardsJson() };
  }

  #shardsJson(): object {
    const total = this.#route.of;
    const failed = this.#failures.size;
    const failures = [...this.#failures.values()].map(({ shard, index, node, reason }) => ({
      shard,
      index,
      node,
      reason,
    }));
    return { total, successful: total - failed, skipped: 0, failed, ...(failed > 0 && { failures }) };
  }

  /** Contents of the page's hits; those that came along, the others from the replicas that found them. */
  async #contents(
    page: readonly PageHit[],
    shards: readonly PerShard<SearchReply>[],
  ): Promise<(DocumentContent | undefined)[]> {
    const contents = page.map(({ hit }) => hit.content);
    await Promise.all(
      shards.map(async (shard) => {
        const missing = page.flatMap(({ ordinal, hit }, at) =>
          ordinal === shard.ordinal && hit.content === undefined ? [at] : [],
        );
        const places = missing.map((at) => (page[at] as PageHit).place);
        const fetched = await this.#fetch(shard, places);
        for (const [i, content] of fetched.entries()) contents[missing[i] as number] = content;
      }),
    );
    return contents;
  }

  async #fetch(
    { ordinal, entry, pod, value }: PerShard<SearchReply>,
    places: readonly number[],
  ): Promise<DocumentContent[]> {
    const contents: DocumentContent[] = [];
    while (contents.length < places.length) {
      const request: MemberRequest = { type: 'fetch', token: value.token, hits: places.slice(contents.length) };
      const reply = await this.#client.ask<FetchReply>(entry, pod, request, attemptMs);
      if (!reply.ok || reply.contents.length === 0) {
        this.#fail(ordinal, pod, reply.ok ? 'the fetch phase came back empty' : reply.reason);
        break;
      }
      contents.push(...reply.contents);
    }
    return contents;
  }
}
