import type { DocumentContent, MemberHit, SearchReply } from '../member/protocol.ts';
import type { SearchRequest } from '../query/search-request.ts';
import { compareKeys } from '../scoring/sort.ts';
import { compareByBytes } from '../segment/byte-order.ts';

/** One shard's answer. */
export interface ShardHits {
  readonly ordinal: number;
  readonly reply: SearchReply;
}

/** A hit of the page, and where its content is. */
export interface PageHit {
  readonly hit: MemberHit;
  readonly ordinal: number;
  /** Its place in that shard's reply. */
  readonly place: number;
}

/** The page that the request asks for, out of what the shards found. Pure: the order is that of one shard with all documents. */
export function gather(shards: readonly ShardHits[], request: SearchRequest): PageHit[] {
  const all = shards.flatMap(({ ordinal, reply }) =>
    reply.hits.map((hit, place): PageHit => ({ hit, ordinal, place })),
  );
  const { sort } = request;
  all.sort(({ hit: a }, { hit: b }) => {
    const order = sort === null ? b.score - a.score : compareKeys(a.keys, b.keys, sort);
    return order === 0 ? compareByBytes(a.id, b.id) : order;
  });
  return all.slice(request.from, request.from + request.size);
}

type Json = Record<string, unknown>;

/** A hit as OpenSearch shows it. */
export function hitJson(
  index: string,
  hit: MemberHit,
  content: DocumentContent | undefined,
  request: SearchRequest,
): Json {
  const { sort, showVersion, showSeqNo } = request;
  const scored = sort === null || sort.some(({ field }) => field === '_score');
  return {
    _index: index,
    _id: hit.id,
    ...(showVersion && { _version: content?.version }),
    ...(showSeqNo && { _seq_no: content?.seqNo, _primary_term: content?.primaryTerm }),
    _score: scored ? hit.score : null,
    ...contentJson(content),
    ...(sort !== null && { sort: hit.keys }),
  };
}

function contentJson(content: DocumentContent | undefined): Json {
  const highlight = content?.highlight ?? null;
  return {
    ...(content?.source !== undefined && { _source: content.source }),
    ...(highlight !== null && { highlight }),
  };
}

/** `hits.total`, or undefined when it was not asked for. */
export function totalJson(shards: readonly ShardHits[], request: SearchRequest): Json | undefined {
  if (!request.showTotal) return undefined;
  const value = shards.reduce((sum, { reply }) => sum + reply.total, 0);
  const exact = shards.every(({ reply }) => reply.exact) && value <= request.countUpTo;
  return { value: Math.min(value, request.countUpTo), relation: exact ? 'eq' : 'gte' };
}
