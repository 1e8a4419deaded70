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

/** The parts of a plan that a hit may have matched. */
function innerPlans(plan: Plan): readonly Plan[] {
  if (plan.type === 'constant') return [plan.plan];
  if (plan.type === 'max') return plan.plans;
  return plan.type === 'bool' ? [...plan.parts.must, ...plan.parts.filter, ...plan.parts.should] : [];
}

function collect(plan: Plan, of: (field: string) => WantedTerms): void {
  for (const inner of innerPlans(plan)) collect(inner, of);
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
    default:
      break;
  }
}
