import type { Plan } from '../query/plan.ts';

/** What a query looks for in one field. */
export interface WantedTerms {
  readonly terms: Set<string>;
  readonly prefixes: Set<string>;
  /** Terms that count only where they stand together. */
  readonly phrases: (readonly { readonly term: string; readonly offset: number }[])[];
}

/** What a plan looks for, by field. Excluded parts do not count. */
export function wantedTerms(plan: Plan): Map<string, WantedTerms> {
  const wanted = new Map<string, WantedTerms>();
  collect(plan, (field) => {
    let own = wanted.get(field);
    if (own === undefined) {
      own = { terms: new Set(), prefixes: new Set(), phrases: [] };
      wanted.set(field, own);
    }
    return own;
  });
  return wanted;
}

function collect(plan: Plan, of: (field: string) => WantedTerms): void {
  switch (plan.type) {
    case 'term':
      of(plan.field).terms.add(plan.term);
      break;
    case 'anyTerm':
      for (const term of plan.terms) of(plan.field).terms.add(term);
      break;
    case 'prefix':
      of(plan.field).prefixes.add(plan.prefix);
      break;
    case 'phrase':
      of(plan.field).phrases.push(plan.terms);
      break;
    case 'constant':
      collect(plan.plan, of);
      break;
    case 'max':
      for (const inner of plan.plans) collect(inner, of);
      break;
    case 'bool':
      for (const inner of [...plan.parts.must, ...plan.parts.filter, ...plan.parts.should]) collect(inner, of);
      break;
    default:
      break;
  }
}
