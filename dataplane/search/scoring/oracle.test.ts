import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByBytes } from '../segment/byte-order.ts';
import { mergeSegments } from '../segment/merge.ts';
import { openInMemory } from '../segment/segment.ts';
import { LiveDocuments } from '../segment/live-documents.ts';
import { searchAll, segmentOf, type TestDocument, type TestHit, testMappings } from '../testing/build-segments.ts';
import { quantize, scoreQuantum } from './bm25.ts';

/** A query of tests: terms of one field, combined. */
type Spec =
  | { readonly kind: 'or' | 'and' | 'phrase'; readonly terms: readonly string[] }
  | {
      readonly kind: 'bool';
      readonly must: readonly string[];
      readonly should: readonly string[];
      readonly not: readonly string[];
      readonly above: number;
    };

const wordsOf = ({ source }: TestDocument): string[] =>
  String(source['body'])
    .split(' ')
    .filter((word) => word !== '');

function phraseCount(words: readonly string[], phrase: readonly string[]): number {
  let count = 0;
  for (let at = 0; at + phrase.length <= words.length; at++) {
    if (phrase.every((term, i) => words[at + i] === term)) count++;
  }
  return count;
}

/** BM25 as the formula says it, document by document. Shares with the engine only the rounding of a score. */
class Oracle {
  readonly #documents: readonly TestDocument[];
  readonly #average: number;

  constructor(documents: readonly TestDocument[]) {
    this.#documents = documents.filter((document) => wordsOf(document).length > 0);
    this.#average =
      this.#documents.reduce((sum, document) => sum + wordsOf(document).length, 0) / this.#documents.length;
  }

  readonly #idfs = new Map<string, number>();

  #idf(term: string): number {
    const known = this.#idfs.get(term) ?? this.#computeIdf(term);
    this.#idfs.set(term, known);
    return known;
  }

  #computeIdf(term: string): number {
    const df = this.#documents.filter((document) => wordsOf(document).includes(term)).length;
    return Math.log(1 + (this.#documents.length - df + 0.5) / (df + 0.5));
  }

  #tf(frequency: number, length: number): number {
    return frequency === 0 ? 0 : frequency / (frequency + (1.2 * (1 - 0.75) + ((1.2 * 0.75) / this.#average) * length));
  }

  #term(words: readonly string[], term: string): number {
    return quantize(this.#idf(term) * this.#tf(words.filter((word) => word === term).length, words.length));
  }

  #score(document: TestDocument, spec: Spec): number | null {
    const words = wordsOf(document);
    const sum = (terms: readonly string[]): number => terms.reduce((total, term) => total + this.#term(words, term), 0);
    const has = (term: string): boolean => words.includes(term);
    if (spec.kind === 'bool') {
      const fits = spec.must.every(has) && !spec.not.some(has) && Number(document.source['n']) >= spec.above;
      return fits ? sum(spec.must) + sum(spec.should) : null;
    }
    if (spec.kind === 'or') return spec.terms.some(has) ? sum(spec.terms) : null;
    if (spec.kind === 'and') return spec.terms.every(has) ? sum(spec.terms) : null;
    const count = phraseCount(words, spec.terms);
    const idf = spec.terms.reduce((total, term) => total + this.#idf(term), 0);
    return count === 0 ? null : quantize(idf * this.#tf(count, words.length));
  }

  search(spec: Spec): TestHit[] {
    return this.#documents
      .flatMap((document): TestHit[] => {
        const score = this.#score(document, spec);
        return score === null ? [] : [{ id: document.id, score }];
      })
      .sort((a, b) => b.score - a.score || compareByBytes(a.id, b.id));
  }
}

const match = (term: string): object => ({ match: { body: term } });

function queryOf(spec: Spec): object {
  if (spec.kind === 'phrase') return { match_phrase: { body: spec.terms.join(' ') } };
  if (spec.kind !== 'bool') return { match: { body: { query: spec.terms.join(' '), operator: spec.kind } } };
  return {
    bool: {
      must: spec.must.map(match),
      should: spec.should.map(match),
      must_not: spec.not.map(match),
      filter: [{ range: { n: { gte: spec.above } } }],
    },
  };
}

// few words in skewed proportions: long postings, many equal scores
const vocabulary = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'd', 'e', 'f', 'g'];
const term = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'nowhere');
const terms = (min: number, max: number): fc.Arbitrary<string[]> => fc.array(term, { minLength: min, maxLength: max });
const spec: fc.Arbitrary<Spec> = fc.oneof(
  fc.record({ kind: fc.constantFrom('or', 'and'), terms: terms(1, 4) }),
  fc.record({ kind: fc.constant('phrase'), terms: terms(2, 3) }),
  fc.record({
    kind: fc.constant('bool'),
    must: terms(1, 2),
    should: terms(0, 2),
    not: terms(0, 1),
    above: fc.integer({ min: 0, max: 60 }),
  }),
);

/** Documents by a seed: fast-check shrinks the seed's query, not thousands of words. */
function makeDocuments(count: number, seed: number): TestDocument[] {
  let state = seed >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: random(12) }, () => vocabulary[random(vocabulary.length)]);
    return { id: `${random(1000)}-${i}`, source: { body: words.join(' '), n: i % 100 } };
  });
}

describe('the scorer', () => {
  it('finds the same documents with the same scores as BM25 written out, in any number of segments, with deletions', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(spec, { minLength: 3, maxLength: 8 }),
        (seed, count, parts, specs) => {
          const all = makeDocuments(count, seed);
          const mappings = testMappings();
          const segments = [...Map.groupBy(all, (_, i) => i % parts).values()].map((part) => segmentOf(part, mappings));
          const kept = all.filter((_, i) => i % 7 !== 3);
          for (const { id } of all.filter((_, i) => i % 7 === 3)) {
            for (const { segment, live } of segments) if (segment.find(id) >= 0) live.delete(segment.find(id));
          }
          const oracle = new Oracle(kept);
          for (const one of specs) {
            const expected = oracle.search(one);
            const counted = searchAll(segments, mappings, queryOf(one), { limit: 10 });
            expect(counted.hits).toEqual(expected.slice(0, 10));
            expect(counted.total).toBe(expected.length);
            // with nothing to count, documents are skipped as soon as ten are found
            const pruned = searchAll(segments, mappings, queryOf(one), { limit: 10, countUpTo: 0 });
            expect(pruned.hits).toEqual(expected.slice(0, 10));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('prunes over many windows without losing a hit', async () => {
    const mappings = testMappings();
    const all = makeDocuments(20_000, 4711);
    const parts = [...Map.groupBy(all, (_, i) => i % 3).values()].map((part) => segmentOf(part, mappings));
    const inputs = parts.map(({ segment, live }) => ({ segment, deleted: live.deleted }));
    const segment = openInMemory((await mergeSegments(inputs, async () => {})).data);
    const merged = [{ segment, live: new LiveDocuments(segment) }];
    for (const one of [
      { kind: 'or', terms: ['a', 'g'] },
      { kind: 'or', terms: ['a', 'b', 'f', 'g'] },
      { kind: 'and', terms: ['a', 'b', 'c'] },
      { kind: 'phrase', terms: ['a', 'b'] },
      { kind: 'bool', must: ['c'], should: ['g'], not: ['f'], above: 20 },
    ] satisfies Spec[]) {
      const whole = searchAll(merged, mappings, queryOf(one), { limit: 25, countUpTo: 1e9 });
      expect(searchAll(merged, mappings, queryOf(one), { limit: 25, countUpTo: 0 }).hits).toEqual(whole.hits);
      expect(searchAll(parts, mappings, queryOf(one), { limit: 25, countUpTo: 0 }).hits).toEqual(whole.hits);
    }
  });

  it('finds phrases with slop alike in one segment and in several, counting all or pruning', async () => {
    const mappings = testMappings();
    const all = makeDocuments(3000, 815);
    const parts = [...Map.groupBy(all, (_, i) => i % 3).values()].map((part) => segmentOf(part, mappings));
    const inputs = parts.map(({ segment, live }) => ({ segment, deleted: live.deleted }));
    const segment = openInMemory((await mergeSegments(inputs, async () => {})).data);
    const merged = [{ segment, live: new LiveDocuments(segment) }];
    for (const query of ['a b', 'b a', 'g a', 'c b a', 'e f g']) {
      const phrase = { match_phrase: { body: { query, slop: 2 } } };
      const whole = searchAll(merged, mappings, phrase, { limit: 25, countUpTo: 1e9 });
      expect(whole.hits.length).toBeGreaterThan(0);
      expect(searchAll(merged, mappings, phrase, { limit: 25, countUpTo: 0 }).hits).toEqual(whole.hits);
      expect(searchAll(parts, mappings, phrase, { limit: 25, countUpTo: 0 }).hits).toEqual(whole.hits);
    }
  });

  it('adds scores exactly in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { maxLength: 30 }), (values) => {
        const scores = values.map(quantize);
        const forward = scores.reduce((sum, score) => sum + score, 0);
        const backward = scores.toReversed().reduce((sum, score) => sum + score, 0);
        expect(forward).toBe(backward);
        for (const [i, score] of scores.entries())
          expect(Math.abs(score - (values[i] ?? 0))).toBeLessThanOrEqual(scoreQuantum / 2);
      }),
    );
  });
});
