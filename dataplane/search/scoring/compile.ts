import type { Plan, PlanParts } from '../query/plan.ts';
import type { Segment, SegmentField } from '../segment/segment.ts';
import { BoolClause, type BoolParts } from './bool-clause.ts';
import { flatNorm, inverseDocumentFrequency, lengthNorm, type Norm, quantize } from './bm25.ts';
import type { Clause } from './clause.ts';
import { compileFilter } from './compile-filter.ts';
import { DisjunctionClause } from './disjunction-clause.ts';
import { AllClause, emptyClause } from './filter-clauses.ts';
import { PhraseClause, type PhraseTerm } from './phrase-clause.ts';
import { type Statistics, termKey } from './statistics.ts';
import { TermClause } from './term-clause.ts';
import { ConstantClause, DisjunctionMaxClause } from './wrapping-clauses.ts';

type OfType<T extends Plan['type']> = Extract<Plan, { type: T }>;

/** Makes the clauses of a plan for one segment, with weights from the statistics of the whole index. */
export class Compiler {
  readonly #segment: Segment;
  readonly #statistics: Statistics;

  constructor(segment: Segment, statistics: Statistics) {
    this.#segment = segment;
    this.#statistics = statistics;
  }

  /** `scored`: false where only matching counts (filters, must_not). */
  compile(plan: Plan, scored: boolean): Clause {
    switch (plan.type) {
      case 'none':
        return emptyClause;
      case 'all':
        return new AllClause(this.#segment.docCount, scored ? quantize(plan.boost) : 0);
      case 'term':
        return this.#term(plan, scored);
      case 'phrase':
        return this.#phrase(plan, scored);
      case 'constant':
        return this.#constant(plan, scored);
      case 'bool':
        return this.#bool(plan.parts, scored);
      case 'max':
        return this.#max(plan, scored);
      default:
        return compileFilter(this.#segment, plan);
    }
  }

  #term({ field: name, term, boost }: OfType<'term'>, scored: boolean): Clause {
    const field = this.#segment.fields.get(name);
    const place = field?.terms.indexOf(term) ?? -1;
    if (field === undefined || place < 0) return emptyClause;
    const weight = scored ? boost * this.#idf(name, term) : 0;
    return new TermClause(field.cursor(place), weight, this.#norm(field));
  }

  #phrase({ field: name, terms, slop, boost }: OfType<'phrase'>, scored: boolean): Clause {
    const field = this.#segment.fields.get(name);
    if (field === undefined) return emptyClause;
    let idf = 0;
    const parts: PhraseTerm[] = [];
    for (const { term, offset } of terms) {
      const place = field.terms.indexOf(term);
      if (place < 0) return emptyClause;
      idf += this.#idf(name, term);
      parts.push({ cursor: field.cursor(place), offset });
    }
    const [first, ...rest] = parts;
    if (first === undefined) return emptyClause;
    return new PhraseClause([first, ...rest], { weight: scored ? boost * idf : 0, norm: this.#norm(field) }, slop);
  }

  #constant({ plan, boost }: OfType<'constant'>, scored: boolean): Clause {
    const inner = this.compile(plan, false);
    return scored && inner !== emptyClause ? new ConstantClause(inner, boost) : inner;
  }

  #max({ plans, tieBreaker }: OfType<'max'>, scored: boolean): Clause {
    const clauses = plans.map((inner) => this.compile(inner, scored)).filter((clause) => clause !== emptyClause);
    const [only] = clauses;
    if (only === undefined) return emptyClause;
    if (clauses.length === 1) return only;
    return scored ? new DisjunctionMaxClause(clauses, tieBreaker) : new DisjunctionClause(clauses);
  }

  #bool(parts: PlanParts, scored: boolean): Clause {
    const compiled = (plans: readonly Plan[], own: boolean): Clause[] => plans.map((plan) => this.compile(plan, own));
    const must = compiled(parts.must, scored);
    const filter = compiled(parts.filter, false);
    if (must.includes(emptyClause) || filter.includes(emptyClause)) return emptyClause;
    let should = parts.minimumShould > 0 || scored ? matching(compiled(parts.should, scored)) : [];
    if (should.length < parts.minimumShould) return emptyClause;
    let { minimumShould } = parts;
    if (minimumShould === 1) {
      must.push(disjunction(should));
      should = [];
      minimumShould = 0;
    }
    const mustNot = matching(compiled(parts.mustNot, false));
    return this.#conjunction({ must, filter, should, mustNot, minimumShould });
  }

  #conjunction(parts: BoolParts): Clause {
    const { must, filter, should, mustNot, minimumShould } = parts;
    const [only] = must;
    const others = filter.length + should.length + mustNot.length + minimumShould;
    if (only !== undefined && must.length === 1 && others === 0) return only;
    if (minimumShould > 0 || must.length + filter.length > 0) return new BoolClause(parts);
    return new BoolClause({ ...parts, filter: [new AllClause(this.#segment.docCount, 0)] });
  }

  #idf(field: string, term: string): number {
    const docs = this.#statistics.fields[field]?.docs ?? 0;
    return inverseDocumentFrequency(docs, this.#statistics.terms[termKey(field, term)] ?? 0);
  }

  #norm(field: SegmentField): Norm {
    if (field.meta.kind !== 'text') return flatNorm;
    const { docs, length } = this.#statistics.fields[field.meta.name] ?? { docs: 0, length: 0 };
    return lengthNorm(docs === 0 ? 0 : length / docs, field.lengths);
  }
}

const matching = (clauses: readonly Clause[]): Clause[] => clauses.filter((clause) => clause !== emptyClause);

function disjunction(clauses: readonly Clause[]): Clause {
  const [only] = clauses;
  return clauses.length === 1 && only !== undefined ? only : new DisjunctionClause(clauses);
}
