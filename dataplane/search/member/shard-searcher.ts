import { performance } from 'node:perf_hooks';
import { wantedTerms } from '../fetch/highlight-terms.ts';
import { filterSource } from '../fetch/filter-source.ts';
import { Highlighter } from '../fetch/highlight-document.ts';
import type { SearchMachine } from '../machine.ts';
import { Planner } from '../query/make-plan.ts';
import { parseQuery } from '../query/parse-query.ts';
import { parseSearchRequest, type SearchRequest } from '../query/search-request.ts';
import { type Hit, type SearchedSegment, searchSegments } from '../scoring/search-segments.ts';
import { shardStatistics } from '../scoring/shard-statistics.ts';
import { noStatistics } from '../scoring/statistics.ts';
import { SearchError } from '../search-error.ts';
import type { DocumentContent, FetchReply, MemberHit, MemberRequest, PrepareReply, SearchReply } from './protocol.ts';
import { maxReplyBytes } from './protocol.ts';
import { RecentSearches } from './recent-searches.ts';

type SearchMessage = Extract<MemberRequest, { type: 'search' }>;

/** A search that was answered: what its second phase needs. */
interface Answered {
  readonly segments: readonly SearchedSegment[];
  readonly hits: readonly Hit[];
  readonly request: SearchRequest;
  readonly highlighter: Highlighter | null;
}

/** Searches the replica's own state. Each search is synchronous and sees one state. */
export class ShardSearcher {
  readonly #machine: SearchMachine;
  readonly #recent = new RecentSearches<Answered>(() => performance.now());

  constructor(machine: SearchMachine) {
    this.#machine = machine;
  }

  /** Throws bad-request when the query does not fit the mappings. */
  prepare(query: unknown): PrepareReply {
    const { store } = this.#machine;
    if (store.index === null) return { uuid: null, changed: store.changed, statistics: noStatistics };
    const parsed = query === undefined ? ({ type: 'match_all', boost: 1 } as const) : parseQuery(query);
    const plan = new Planner(store.mappings).plan(parsed);
    const statistics = shardStatistics(store.documents.refresh(), plan);
    return { uuid: store.index.uuid, changed: store.changed, statistics };
  }

  search(message: SearchMessage): SearchReply {
    const { store } = this.#machine;
    if (store.index === null) throw new SearchError('index-missing', 'index_not_found_exception', 'no such index');
    const request = parseSearchRequest(message.body);
    const planner = new Planner(store.mappings);
    const plan = planner.plan(request.query);
    const segments = [...store.documents.refresh()];
    const { hits, total, exact } = searchSegments(segments, plan, {
      statistics: message.statistics,
      limit: message.limit,
      countUpTo: request.countUpTo,
      sort: request.sort,
      after: request.searchAfter,
    });
    const highlightQuery = request.highlight?.query ?? null;
    const highlightPlan = highlightQuery === null ? plan : planner.plan(highlightQuery);
    const highlighter =
      request.highlight === null
        ? null
        : new Highlighter(store.mappings, wantedTerms(highlightPlan), request.highlight.fields);
    const answered: Answered = { segments, hits, request, highlighter };
    return {
      hits: this.#memberHits(answered, message.inline),
      total,
      exact,
      token: this.#keep(answered, message.inline),
    };
  }

  #keep(answered: Answered, inline: boolean): string {
    const complete = answered.hits.length === 0 || (inline && sizeOf(answered) <= maxReplyBytes);
    return complete ? '' : this.#recent.keep(answered);
  }

  #memberHits(answered: Answered, inline: boolean): MemberHit[] {
    let bytes = 0;
    return answered.hits.map((hit): MemberHit => {
      const { segment } = answered.segments[hit.segment] as SearchedSegment;
      const base = { id: segment.idOf(hit.doc), score: hit.score, keys: hit.keys };
      bytes += segment.sourceLength(hit.doc);
      return inline && bytes <= maxReplyBytes ? { ...base, content: contentOf(answered, hit) } : base;
    });
  }

  /** Undefined: the search is not remembered any more. */
  fetch(token: string, indexes: readonly number[]): FetchReply | undefined {
    const answered = this.#recent.get(token);
    if (answered === undefined) return undefined;
    const contents: DocumentContent[] = [];
    let bytes = 0;
    for (const index of indexes) {
      const hit = answered.hits[index];
      if (hit === undefined) return undefined;
      bytes += answered.segments[hit.segment]?.segment.sourceLength(hit.doc) ?? 0;
      if (bytes > maxReplyBytes && contents.length > 0) break;
      contents.push(contentOf(answered, hit));
    }
    return { contents };
  }
}

function sizeOf({ segments, hits }: Answered): number {
  return hits.reduce((sum, { segment, doc }) => sum + (segments[segment]?.segment.sourceLength(doc) ?? 0), 0);
}

function contentOf({ segments, request, highlighter }: Answered, { segment: index, doc }: Hit): DocumentContent {
  const { segment } = segments[index] as SearchedSegment;
  const meta = {
    version: segment.versions[doc] as number,
    seqNo: segment.seqNos[doc] as number,
    primaryTerm: segment.primaryTerms[doc] as number,
  };
  if (!request.source.show && highlighter === null) return meta;
  const bytes = segment.source(doc);
  const source = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as unknown;
  return {
    ...meta,
    ...(request.source.show && { source: filterSource(source, request.source) }),
    ...(highlighter !== null && { highlight: highlighter.highlight(source) }),
  };
}
