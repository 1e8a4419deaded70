import { BoundedCache } from './bounded-cache.ts';
import { porter2 } from './porter2.ts';
import { tokenize } from './tokenizer.ts';

/** Called for each term with its position in the field and its place in the text (UTF-16 units). */
export type OnTerm = (term: string, position: number, start: number, end: number) => void;

/**
 * Turns text into the terms that are indexed and searched. No analyzer drops words: BM25 gives frequent words next to no
 * weight, and phrases such as "to be or not to be" stay findable.
 */
export interface Analyzer {
  readonly name: AnalyzerName;
  analyze(text: string, onTerm: OnTerm): void;
  /** One word, already cut out of its text, as a term. */
  term(word: string): string;
}

/**
 * - english: lower case, accents removed, Porter2 stems
 * - plain: compatibility forms unified (NFKC), lower case
 */
export const analyzerNames = ['english', 'plain'] as const;
export type AnalyzerName = (typeof analyzerNames)[number];

/** Terms remembered per analyzer and generation. */
const cacheCapacity = 50_000;

const nonAscii = /[^\0-\x7f]/;

function plainTerm(word: string): string {
  return nonAscii.test(word) ? word.normalize('NFKC').replaceAll('’', "'").toLowerCase() : word.toLowerCase();
}

/** Accents of Latin letters go; marks of other scripts carry meaning and stay. */
function fold(word: string): string {
  if (!nonAscii.test(word)) return word.toLowerCase();
  const folded = word
    .normalize('NFKD')
    .replaceAll(/(?<=\p{Script=Latin}\p{M}*)\p{M}/gu, '')
    .normalize('NFKC')
    .replaceAll('’', "'");
  return folded.toLowerCase().replaceAll('ß', 'ss').replaceAll('æ', 'ae').replaceAll('œ', 'oe').replaceAll('ø', 'o');
}

function cached(name: AnalyzerName, make: (word: string) => string): Analyzer {
  const cache = new BoundedCache<string>(cacheCapacity);
  const term = (word: string): string => {
    let known = cache.get(word);
    if (known === undefined) {
      known = make(word);
      cache.set(word, known);
    }
    return known;
  };
  const analyze = (text: string, onTerm: OnTerm): void => {
    let position = 0;
    tokenize(text, (word, start, end) => onTerm(term(word), position++, start, end));
  };
  return { name, analyze, term };
}

const analyzers: Record<AnalyzerName, Analyzer> = {
  english: cached('english', (word) => porter2(fold(word))),
  plain: cached('plain', plainTerm),
};

/** The analyzer of that name; one instance a process, so that its cache is shared. */
export const analyzerNamed = (name: AnalyzerName): Analyzer => analyzers[name];

/** All terms of a text, in order. */
export function termsOf(analyzer: Analyzer, text: string): string[] {
  const terms: string[] = [];
  analyzer.analyze(text, (term) => terms.push(term));
  return terms;
}
