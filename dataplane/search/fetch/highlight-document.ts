import { type Analyzer, analyzerNamed } from '../analysis/analyzer.ts';
import type { FieldMapping } from '../mapping/field-mapping.ts';
import type { Mappings } from '../mapping/mappings.ts';
import type { FieldHighlight } from '../query/parse-highlight.ts';
import { highlightText } from './highlight.ts';
import type { WantedTerms } from './highlight-terms.ts';
import { matchesWildcard } from './wildcard.ts';

/** All strings at a path of a document; arrays on the way are followed. */
function textsAt(value: unknown, parts: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => textsAt(one, parts));
  const [part, ...rest] = parts;
  if (part === undefined) return typeof value === 'string' ? [value] : typeof value === 'number' ? [String(value)] : [];
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Record<string, unknown>;
  const whole = parts.join('.');
  return textsAt(Object.hasOwn(object, part) ? object[part] : undefined, rest).concat(
    rest.length > 0 && Object.hasOwn(object, whole) ? textsAt(object[whole], []) : [],
  );
}

/** A keyword is one term: its value. */
const keywordAnalyzer: Analyzer = {
  name: 'plain',
  analyze: (text, onTerm) => onTerm(text, 0, 0, text.length),
  term: (word) => word,
};

function union(all: Iterable<WantedTerms>): WantedTerms {
  const sum: WantedTerms = { terms: new Set(), prefixes: new Set(), phrases: [] };
  for (const { terms, prefixes, phrases } of all) {
    for (const term of terms) sum.terms.add(term);
    for (const prefix of prefixes) sum.prefixes.add(prefix);
    sum.phrases.push(...phrases);
  }
  return sum;
}

const nothingWanted: WantedTerms = { terms: new Set(), prefixes: new Set(), phrases: [] };

/** Highlights of the documents of one search in one shard. */
export class Highlighter {
  readonly #mappings: Mappings;
  readonly #wanted: ReadonlyMap<string, WantedTerms>;
  readonly #fields: readonly FieldHighlight[];

  constructor(mappings: Mappings, wanted: ReadonlyMap<string, WantedTerms>, fields: readonly FieldHighlight[]) {
    this.#mappings = mappings;
    this.#wanted = wanted;
    this.#fields = fields;
  }

  /** Fragments by field; null when no field has any. */
  highlight(source: unknown): Record<string, string[]> | null {
    const shown = Object.create(null) as Record<string, string[]>;
    for (const options of this.#fields) {
      for (const field of this.#matching(options.pattern)) {
        const fragments = this.#field(source, field, options);
        if (fragments.length > 0) shown[field.path] = fragments;
      }
    }
    return Object.keys(shown).length > 0 ? shown : null;
  }

  #matching(pattern: string): FieldMapping[] {
    if (!pattern.includes('*')) {
      const field = this.#mappings.get(pattern);
      return field === undefined ? [] : [field];
    }
    return [...this.#mappings.all()].filter(({ type, path }) => type === 'text' && matchesWildcard(pattern, path));
  }

  #field(source: unknown, field: FieldMapping, options: FieldHighlight): string[] {
    const wanted = options.ownFieldOnly
      ? (this.#wanted.get(field.path) ?? nothingWanted)
      : union(this.#wanted.values());
    const own = field.type === 'text' ? analyzerNamed(this.#mappings.analyzerOf(field)) : keywordAnalyzer;
    const plain = field.type === 'text' ? analyzerNamed('plain') : keywordAnalyzer;
    const fragments: string[] = [];
    for (const text of textsAt(source, (field.of ?? field.path).split('.'))) {
      fragments.push(...(highlightText(text, { own, plain }, wanted, options) ?? []));
    }
    return options.fragments === 0 ? fragments : fragments.slice(0, options.fragments);
  }
}
