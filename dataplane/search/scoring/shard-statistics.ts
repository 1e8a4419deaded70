import type { Plan } from '../query/plan.ts';
import type { SearchedSegment } from './search-segments.ts';
import { scoredTerms, type Statistics, termKey } from './statistics.ts';

/** This shard's part of what the scores of a plan depend on. Live documents only. */
export function shardStatistics(segments: readonly SearchedSegment[], plan: Plan): Statistics {
  const fields = Object.create(null) as Record<string, { docs: number; length: number }>;
  const terms = Object.create(null) as Record<string, number>;
  for (const [name, wanted] of scoredTerms(plan)) {
    const sum = { docs: 0, length: 0 };
    fields[name] = sum;
    for (const term of wanted) terms[termKey(name, term)] = 0;
    for (const { segment, live } of segments) {
      const field = segment.fields.get(name);
      if (field === undefined) continue;
      const { docs, length } = live.fieldStatistics(field);
      sum.docs += docs;
      sum.length += length;
      for (const term of wanted) {
        const place = field.terms.indexOf(term);
        if (place >= 0) terms[termKey(name, term)] = (terms[termKey(name, term)] ?? 0) + live.df(field, place);
      }
    }
  }
  return { fields, terms };
}
