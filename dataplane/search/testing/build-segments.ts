import { Mappings, noMappings } from '../mapping/mappings.ts';
import { parseDocument } from '../mapping/parse-document.ts';
import { Planner } from '../query/make-plan.ts';
import { parseQuery } from '../query/parse-query.ts';
import { searchSegments, type SearchedSegment, type SearchOptions } from '../scoring/search-segments.ts';
import { shardStatistics } from '../scoring/shard-statistics.ts';
import { LiveDocuments } from '../segment/live-documents.ts';
import { openInMemory } from '../segment/segment.ts';
import type { SegmentData } from '../segment/segment-data.ts';
import { IndexBuffer } from '../store/index-buffer.ts';

export interface TestDocument {
  readonly id: string;
  readonly source: Record<string, unknown>;
}

/** Mappings for tests: plain analysis, dynamic fields. */
export const testMappings = (): Mappings => new Mappings(noMappings, 'plain');

export function segmentDataOf(documents: readonly TestDocument[], mappings: Mappings): SegmentData | null {
  const buffer = new IndexBuffer();
  for (const [i, { id, source }] of documents.entries()) {
    const { fields } = parseDocument(source, mappings, 'strict');
    const bytes = Buffer.from(JSON.stringify(source));
    buffer.put({ id, version: 1, seqNo: i, primaryTerm: 1, source: bytes }, fields, mappings);
  }
  return buffer.freeze();
}

export function segmentOf(documents: readonly TestDocument[], mappings: Mappings): SearchedSegment {
  const data = segmentDataOf(documents, mappings);
  if (data === null) throw new Error('no documents');
  const segment = openInMemory(data);
  return { segment, live: new LiveDocuments(segment) };
}

export interface TestHit {
  readonly id: string;
  readonly score: number;
}

/** Searches as one shard does, with statistics of its own. */
export function searchAll(
  segments: readonly SearchedSegment[],
  mappings: Mappings,
  query: unknown,
  options: Partial<SearchOptions> = {},
): { hits: TestHit[]; total: number; exact: boolean } {
  const plan = new Planner(mappings).plan(parseQuery(query));
  const { hits, total, exact } = searchSegments(segments, plan, {
    statistics: shardStatistics(segments, plan),
    limit: 10,
    countUpTo: 10_000,
    sort: null,
    after: null,
    ...options,
  });
  const shown = hits.map(({ segment, doc, score }) => ({ id: segments[segment]?.segment.idOf(doc) ?? '', score }));
  return { hits: shown, total, exact };
}
