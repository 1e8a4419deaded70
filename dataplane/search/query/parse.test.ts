import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SearchError } from '../search-error.ts';
import { searchAll, segmentOf, testMappings } from '../testing/build-segments.ts';
import { parseMinimumShouldMatch, requiredMatches } from './minimum-should-match.ts';
import { parseQuery } from './parse-query.ts';
import { parseSearchRequest } from './search-request.ts';
import { parseSimpleQueryString } from './simple-query-string.ts';

const mappings = testMappings();
const segments = [
  segmentOf(
    [
      { id: '1', source: { title: 'quick brown fox', n: 1, tag: ['red', 'green'], day: '2026-01-01' } },
      { id: '2', source: { title: 'lazy brown dog', n: 2, tag: 'red', day: '2026-02-01' } },
      { id: '3', source: { title: 'quick dog', n: 3, flag: true, day: '2026-03-01' } },
      { id: '4', source: { title: 'the dogfish swims', n: 4 } },
    ],
    mappings,
  ),
];
const ids = (query: unknown): string[] =>
  searchAll(segments, mappings, query)
    .hits.map(({ id }) => id)
    .sort();
const simple = (query: string, operator = 'or'): string[] =>
  ids({ simple_query_string: { query, default_operator: operator } });

describe('simple_query_string', () => {
  it.each([
    ['+quick -dog', ['1']],
    ['quick dog', ['1', '2', '3']],
    ['+dog quick', ['2', '3']],
    ['quick + dog', ['3']],
    ['quick+dog', ['3']],
    ['brown -fox', ['2']],
    ['"quick brown"', ['1']],
    ['"brown quick"', []],
    ['"quick fox"~1', ['1']],
    ['dog*', ['2', '3', '4']],
    ['fox | lazy', ['1', '2']],
    ['+(fox | lazy) +brown', ['1', '2']],
    ['-dog', ['1', '4']],
    ['', []],
    ['((((', []],
    ['"unclosed brown', []],
    ['red', ['1', '2']],
    [String.raw`\-dog`, ['2', '3']],
  ])('%s finds %j', (query, expected) => {
    // tags are text as well as keywords, by the dynamic mapping
    expect(simple(query)).toEqual(expected);
  });

  it('requires every word when the default operator is and', () => {
    expect(simple('quick dog', 'and')).toEqual(['3']);
    expect(simple('dog -lazy', 'and')).toEqual(['3']);
    expect(simple('quick fox | lazy', 'and')).toEqual(['1', '2']);
  });

  it('never refuses a text', () => {
    const piece = fc.oneof(
      fc.constantFrom('+', '-', '|', '"', '(', ')', '*', '~', '\\', ' ', '~2', 'dog', 'quick', '^'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.constantFrom('and', 'or'), (pieces, operator) => {
        expect(() => simple(pieces.join(''), operator)).not.toThrow();
      }),
      { numRuns: 500 },
    );
    for (const flood of ['(', ')', '-', '+', '"', 'a ', '|', '\\', '(a ', '*']) {
      expect(() => parseSimpleQueryString(flood.repeat(50_000), false)).not.toThrow();
    }
  });
});

describe('the query language', () => {
  it.each([
    [{ match_all: {} }, ['1', '2', '3', '4']],
    [{ match_none: {} }, []],
    [{ match: { title: 'quick dog' } }, ['1', '2', '3']],
    [{ match: { title: { query: 'quick dog', operator: 'AND' } } }, ['3']],
    [{ match: { title: { query: 'quick brown fox', minimum_should_match: '75%' } } }, ['1']],
    [{ match_phrase: { title: 'brown dog' } }, ['2']],
    [{ term: { n: 2 } }, ['2']],
    [{ term: { 'tag.keyword': 'green' } }, ['1']],
    [{ term: { flag: true } }, ['3']],
    [{ term: { _id: '4' } }, ['4']],
    [{ terms: { n: [1, 4] } }, ['1', '4']],
    [{ terms: { 'tag.keyword': ['red', 'blue'] } }, ['1', '2']],
    [{ range: { n: { gt: 1, lte: 3 } } }, ['2', '3']],
    [{ range: { day: { gte: '2026-01-15', lt: '2026-03-01' } } }, ['2']],
    [{ range: { 'tag.keyword': { gt: 'green' } } }, ['1', '2']],
    [{ exists: { field: 'tag' } }, ['1', '2']],
    [{ prefix: { title: 'dogf' } }, ['4']],
    [{ ids: { values: ['2', 'x'] } }, ['2']],
    [{ bool: { must_not: [{ match: { title: 'dog' } }] } }, ['1', '4']],
    [
      {
        bool: {
          should: [{ term: { n: 1 } }, { term: { n: 2 } }, { match: { title: 'brown' } }],
          minimum_should_match: 2,
        },
      },
      ['1', '2'],
    ],
    [{ bool: { must: { match: { title: 'dog' } }, filter: [{ term: { n: 2 } }] } }, ['2']],
    [{ dis_max: { queries: [{ term: { n: 1 } }, { match: { title: 'lazy' } }] } }, ['1', '2']],
    [{ constant_score: { filter: { exists: { field: 'flag' } } } }, ['3']],
    [{ multi_match: { query: 'fox red', fields: ['title', 'tag'] } }, ['1', '2']],
    [{ match: { nowhere: 'x' } }, []],
  ])('%j finds %j', (query, expected) => expect(ids(query)).toEqual(expected));

  it.each([
    [{ foo: {} }, /unknown query \[foo\]/],
    [{ constructor: {} }, /unknown query \[constructor\]/],
    [{ match: { title: 'x', body: 'y' } }, /multiple fields/],
    [{ match: { title: { query: 'x', fuzzy: 1 } } }, /\[match\] query does not support \[fuzzy\]/],
    [{ match: 'x' }, /\[match\] query malformed/],
    [{ bool: { musst: [] } }, /\[bool\] query does not support \[musst\]/],
    [{ range: { n: { from: 1 } } }, /\[range\] query does not support \[from\]/],
    [{ terms: { n: 3 } }, /\[terms\]/],
    [{ bool: { minimum_should_match: 'lots' } }, /minimum_should_match/],
    [{ match_all: {}, match_none: {} }, /malformed query/],
    [[], /must start with start_object/],
    [{}, /empty clause/],
    [{ bool: { must: Array.from({ length: 2000 }, () => ({ match_all: {} })) } }, /maxClauseCount/],
  ])('refuses %j by name', (query, reason) => {
    expect(() => parseQuery(query)).toThrow(SearchError);
    expect(() => parseQuery(query)).toThrow(reason);
  });

  it('refuses queries nested too deeply, and survives any JSON', () => {
    let deep: unknown = { match_all: {} };
    for (let i = 0; i < 5000; i++) deep = { bool: { must: [deep] } };
    expect(() => parseQuery(deep)).toThrow(/nested depth/);
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseSearchRequest({ query: JSON.parse(text) as unknown });
        } catch (error) {
          expect(error).toBeInstanceOf(SearchError);
        }
      }),
    );
  });

  it('refuses parts of a search that it does not know, and pages that are too deep', () => {
    expect(() => parseSearchRequest({ aggs: {} })).toThrow(/aggregations are not supported/);
    expect(() => parseSearchRequest({ sizze: 1 })).toThrow(/sizze/);
    expect(() => parseSearchRequest({ from: 9995, size: 10 })).toThrow(/Result window is too large/);
    expect(() => parseSearchRequest({ size: -1 })).toThrow(/size/);
  });
});

describe('minimum_should_match', () => {
  it.each([
    ['2', 4, 2],
    ['-1', 4, 3],
    ['75%', 4, 3],
    ['-25%', 4, 3],
    ['2<75%', 2, 2],
    ['2<75%', 4, 3],
    ['9', 4, 4],
    ['3<-1 5<50%', 10, 5],
  ])('%s of %i clauses is %i', (text, clauses, required) => {
    const parsed = parseMinimumShouldMatch(text);
    expect(parsed && requiredMatches(parsed, clauses)).toBe(required);
  });

  it('refuses nonsense', () => expect(parseMinimumShouldMatch('most')).toBeNull());
});
