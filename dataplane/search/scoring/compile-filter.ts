import type { KeywordBounds, Plan } from '../query/plan.ts';
import type { Segment, SegmentField } from '../segment/segment.ts';
import { flatNorm } from './bm25.ts';
import type { Clause } from './clause.ts';
import { DisjunctionClause } from './disjunction-clause.ts';
import { DocsClause, emptyClause, TestClause } from './filter-clauses.ts';
import { TermClause } from './term-clause.ts';

type FilterPlan = Extract<
  Plan,
  { type: 'anyTerm' | 'prefix' | 'numbers' | 'anyNumber' | 'keywords' | 'exists' | 'ids' }
>;

/** More terms than this are united into a list of documents once, instead of being followed side by side. */
const sideBySide = 16;

/** Makes the clause of a plan that only matches, for one segment. */
export function compileFilter(segment: Segment, plan: FilterPlan): Clause {
  if (plan.type === 'ids') return idsClause(segment, plan.values);
  if (plan.type === 'exists') return existsClause(segment, plan.fields);
  const field = segment.fields.get(plan.field);
  if (field === undefined) return emptyClause;
  switch (plan.type) {
    case 'anyTerm':
      return termsClause(
        field,
        new Set(plan.terms.map((term) => field.terms.indexOf(term)).filter((place) => place >= 0)),
      );
    case 'prefix':
      return termsClause(field, range(field.terms.prefixRange(plan.prefix)));
    case 'keywords':
      return termsClause(field, range(keywordRange(field, plan.bounds)));
    case 'numbers':
      return numbersClause(segment, field, (value) => value >= plan.low && value <= plan.high);
    default: {
      const values = new Set(plan.values);
      return numbersClause(segment, field, (value) => values.has(value));
    }
  }
}

function* range({ from, to }: { from: number; to: number }): Generator<number> {
  for (let place = from; place < to; place++) yield place;
}

function keywordRange(
  { terms }: SegmentField,
  { low, lowIncluded, high, highIncluded }: KeywordBounds,
): { from: number; to: number } {
  const above = (value: string, included: boolean): number =>
    terms.lowerBound(value) + (included ? 0 : Number(terms.indexOf(value) >= 0));
  return {
    from: low === null ? 0 : above(low, lowIncluded),
    to: high === null ? terms.size : above(high, !highIncluded),
  };
}

function termsClause(field: SegmentField, places: Iterable<number>): Clause {
  const all = [...places];
  if (all.length === 0) return emptyClause;
  if (all.length <= sideBySide) {
    return new DisjunctionClause(all.map((place) => new TermClause(field.cursor(place), 0, flatNorm)));
  }
  const docs = new Set<number>();
  for (const place of all) {
    const cursor = field.cursor(place);
    for (let block = 0; block < cursor.blocks; block++) {
      cursor.load(block);
      for (let i = 0; i < cursor.count; i++) docs.add(cursor.docs[i] as number);
    }
  }
  return new DocsClause(Int32Array.from(docs).sort());
}

function numbersClause(
  segment: Segment,
  { valueOffsets, values }: SegmentField,
  test: (value: number) => boolean,
): Clause {
  return new TestClause(segment.docCount, (doc) => {
    const to = valueOffsets[doc + 1] as number;
    for (let at = valueOffsets[doc] as number; at < to; at++) if (test(values[at] as number)) return true;
    return false;
  });
}

function existsClause(segment: Segment, names: readonly string[]): Clause {
  const tests = names.flatMap((name) => {
    const field = segment.fields.get(name);
    if (field === undefined) return [];
    const { lengths, valueOffsets, meta } = field;
    return meta.kind === 'text'
      ? [(doc: number) => (lengths[doc] as number) > 0]
      : [(doc: number) => (valueOffsets[doc + 1] as number) > (valueOffsets[doc] as number)];
  });
  return tests.length === 0 ? emptyClause : new TestClause(segment.docCount, (doc) => tests.some((test) => test(doc)));
}

function idsClause(segment: Segment, ids: readonly string[]): Clause {
  const docs = new Set(ids.map((id) => segment.find(id)).filter((doc) => doc >= 0));
  return docs.size === 0 ? emptyClause : new DocsClause(Int32Array.from(docs).sort());
}
