import { seededRandom, wordOf, Zipf, vocabularySize } from './zipf-documents.ts';

/** Queries of one kind, for both engines. */
export interface QuerySet {
  readonly name: string;
  readonly queries: readonly { readonly dsl: object; readonly fts5: string }[];
}

/** Words as people ask for them: by the documents' own distribution, cut to a band of ranks. */
function drawWord(zipf: Zipf, least: number, most: number): string {
  for (;;) {
    const rank = zipf.next();
    if (rank >= least && rank < most) return wordOf(rank);
  }
}

const repeat = (count: number, make: () => QuerySet['queries'][number]): QuerySet['queries'] =>
  Array.from({ length: count }, make);

/** Four kinds of queries, `count` each; the same ones for the same seed. */
export function querySets(count: number, seed: number): QuerySet[] {
  const zipf = new Zipf(vocabularySize, seededRandom(seed));
  const any = (): string => drawWord(zipf, 3, 20_000);
  return [
    {
      name: 'common term',
      queries: repeat(count, () => {
        const word = drawWord(zipf, 0, 100);
        return { dsl: { match: { body: word } }, fts5: word };
      }),
    },
    {
      name: 'AND of 2',
      queries: repeat(count, () => {
        const [a, b] = [any(), any()];
        return { dsl: { match: { body: { query: `${a} ${b}`, operator: 'and' } } }, fts5: `${a} AND ${b}` };
      }),
    },
    {
      name: 'OR of 3',
      queries: repeat(count, () => {
        const words = [any(), any(), any()];
        return { dsl: { match: { body: words.join(' ') } }, fts5: words.join(' OR ') };
      }),
    },
    {
      name: 'phrase of 2',
      queries: repeat(count, () => {
        const phrase = `${drawWord(zipf, 0, 500)} ${drawWord(zipf, 0, 500)}`;
        return { dsl: { match_phrase: { body: phrase } }, fts5: `"${phrase}"` };
      }),
    },
  ];
}
