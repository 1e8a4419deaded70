import type { Plan } from '../query/plan.ts';

/** What BM25 needs to know of a collection: of the fields and terms of one query. Plain data: it travels between pods. */
export interface Statistics {
  /** Per field: documents that have it, and the sum of its lengths in terms. */
  readonly fields: Readonly<Record<string, { readonly docs: number; readonly length: number }>>;
  /** Per field and term (see {@link termKey}): documents that have it. */
  readonly terms: Readonly<Record<string, number>>;
}

export const noStatistics: Statistics = { fields: {}, terms: {} };

export const termKey = (field: string, term: string): string => `${field}\0${term}`;

/** Adds up the statistics of shards. */
export function addStatistics(parts: readonly Statistics[]): Statistics {
  // no prototype: field names come from clients
  const fields = Object.create(null) as Record<string, { docs: number; length: number }>;
  const terms = Object.create(null) as Record<string, number>;
  for (const part of parts) {
    for (const [name, { docs, length }] of Object.entries(part.fields)) {
      const sum = (fields[name] ??= { docs: 0, length: 0 });
      sum.docs += docs;
      sum.length += length;
    }
    for (const [key, df] of Object.entries(part.terms)) terms[key] = (terms[key] ?? 0) + df;
  }
  return { fields, terms };
}

/** The fields and terms whose statistics a plan's scores depend on. */
export function scoredTerms(plan: Plan): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  collect(plan, (field, term) => {
    const terms = found.get(field);
    if (terms === undefined) found.set(field, new Set([term]));
    else terms.add(term);
  });
  return found;
}

function collect(plan: Plan, add: (field: string, term: string) => void): void {
  switch (plan.type) {
    case 'term':
      add(plan.field, plan.term);
      break;
    case 'phrase':
      for (const { term } of plan.terms) add(plan.field, term);
      break;
    case 'max':
      for (const inner of plan.plans) collect(inner, add);
      break;
    case 'bool':
      for (const inner of [...plan.parts.must, ...plan.parts.should]) collect(inner, add);
      break;
    default:
      // constant scores and filters need no statistics
      break;
  }
}
