import type { Plan } from '../query/plan.ts';
import type { LiveDocuments } from '../segment/live-documents.ts';
import type { SegmentField } from '../segment/segment.ts';
import type { SearchedSegment } from './search-segments.ts';
import { scoredTerms, type Statistics, termKey } from './statistics.ts';

/** This shard's part of what the scores of a plan depend on. Live documents only. */
export function shardStatistics(segments: readonly SearchedSegment[], plan: Plan): Statistics {
  const fields = Object.create(null) as Record<string, { docs: number; length: number }>;
  const terms = Object.create(null) as Record<string, number>;
  for (const [name, wanted] of scoredTerms(plan)) {
    const sum = { docs: 0, length: 0 };
    fields[name] = sum;
    const wantedTerms = [...wanted].map((term): WantedTerm => ({
      term,
      add: (df) => (terms[termKey(name, term)] = (terms[termKey(name, term)] ?? 0) + df),
    }));
    for (const { add } of wantedTerms) add(0);
    for (const one of segments) {
      const field = one.segment.fields.get(name);
      if (field !== undefined) addField(one.live, field, sum, wantedTerms);
    }
  }
  return { fields, terms };
}

interface WantedTerm {
  readonly term: string;
  readonly add: (df: number) => void;
}

function addField(
  live: LiveDocuments,
  field: SegmentField,
  sum: { docs: number; length: number },
  wanted: readonly WantedTerm[],
): void {
  const { docs, length } = live.fieldStatistics(field);
  sum.docs += docs;
  sum.length += length;
  for (const { term, add } of wanted) {
    const place = field.terms.indexOf(term);
    if (place >= 0) add(live.df(field, place));
  }
}
