import type { Analyzer } from '../analysis/analyzer.ts';
import type { FieldHighlight } from '../query/parse-highlight.ts';
import type { WantedTerms } from './highlight-terms.ts';

/** A word of a text that is to be marked. */
interface Match {
  readonly start: number;
  readonly end: number;
  readonly term: string;
}

interface Word extends Match {
  readonly position: number;
}

/** Longest text that is searched for words to mark. */
const maxAnalyzedLength = 1_000_000;

function startsAt(
  phrase: WantedTerms['phrases'][number],
  byPosition: ReadonlyMap<number, Word>,
  at: number,
): Word[] | null {
  const words: Word[] = [];
  for (const { term, offset } of phrase) {
    const word = byPosition.get(at + offset);
    if (word?.term !== term) return null;
    words.push(word);
  }
  return words;
}

function phraseWords(phrase: WantedTerms['phrases'][number], words: readonly Word[]): Set<Word> {
  const byPosition = new Map(words.map((word) => [word.position, word]));
  const found = new Set<Word>();
  const [first] = phrase;
  if (first === undefined) return found;
  for (const word of words) {
    if (word.term !== first.term) continue;
    for (const part of startsAt(phrase, byPosition, word.position - first.offset) ?? []) found.add(part);
  }
  return found;
}

/** The words of the text that the query looks for, in order. */
function findMatches(text: string, analyzer: Analyzer, plain: Analyzer, wanted: WantedTerms): Match[] {
  const words: Word[] = [];
  const matches = new Set<Word>();
  const examined = text.slice(0, maxAnalyzedLength);
  const prefixes = [...wanted.prefixes];
  analyzer.analyze(examined, (term, position, start, end) => {
    const word = { term, position, start, end };
    words.push(word);
    const whole = prefixes.length === 0 ? '' : plain.term(examined.slice(start, end));
    const hit =
      wanted.terms.has(term) || prefixes.some((prefix) => term.startsWith(prefix) || whole.startsWith(prefix));
    if (hit) matches.add(word);
  });
  for (const phrase of wanted.phrases) for (const word of phraseWords(phrase, words)) matches.add(word);
  return [...matches].sort((a, b) => a.start - b.start);
}

interface Fragment {
  start: number;
  end: number;
  readonly matches: Match[];
}

/** The nearest boundary between words at or before (`step` -1) or after (1) a place, not farther than 20 characters. */
function boundary(text: string, from: number, step: 1 | -1): number {
  for (let at = from; Math.abs(at - from) <= 20; at += step) {
    if (at <= 0) return 0;
    if (at >= text.length) return text.length;
    if (/\s/.test(text.charAt(step === 1 ? at : at - 1))) return at;
  }
  return from;
}

/** Cuts the text into pieces around its matches. */
function fragmentsOf(text: string, matches: readonly Match[], size: number): Fragment[] {
  const fragments: Fragment[] = [];
  for (const match of matches) {
    const last = fragments.at(-1);
    if (last !== undefined && match.end <= last.end) {
      last.matches.push(match);
      continue;
    }
    const lead = Math.max(0, Math.floor((size - (match.end - match.start)) / 4));
    const start = Math.min(match.start, Math.max(last?.end ?? 0, boundary(text, Math.max(0, match.start - lead), -1)));
    const end = Math.max(match.end, boundary(text, Math.min(text.length, start + size), 1));
    fragments.push({ start, end, matches: [match] });
  }
  return fragments;
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
};

function render(text: string, { start, end, matches }: Fragment, options: FieldHighlight): string {
  const show = (from: number, to: number): string => {
    const part = text.slice(from, to);
    return options.escapeHtml ? part.replaceAll(/[&<>"']/g, (char) => htmlEscapes[char] ?? char) : part;
  };
  let shown = '';
  let at = start;
  for (const match of matches) {
    shown += show(at, match.start) + options.preTag + show(match.start, match.end) + options.postTag;
    at = match.end;
  }
  return (shown + show(at, end)).trim();
}

const differentTerms = ({ matches }: Fragment): number => new Set(matches.map(({ term }) => term)).size;

function choose(fragments: Fragment[], options: FieldHighlight): Fragment[] {
  const best = [...fragments].sort(
    (a, b) => differentTerms(b) - differentTerms(a) || b.matches.length - a.matches.length || a.start - b.start,
  );
  const chosen = best.slice(0, options.fragments);
  return options.byScore ? chosen : chosen.sort((a, b) => a.start - b.start);
}

/** The parts of one text that show why it matched; null when nothing in it did. */
export function highlightText(
  text: string,
  analyzers: { readonly own: Analyzer; readonly plain: Analyzer },
  wanted: WantedTerms,
  options: FieldHighlight,
): string[] | null {
  const matches = findMatches(text, analyzers.own, analyzers.plain, wanted);
  if (matches.length === 0) {
    const end = boundary(text, options.noMatchSize, 1);
    return options.noMatchSize === 0 ? null : [render(text, { start: 0, end, matches: [] }, options)];
  }
  if (options.fragments === 0) return [render(text, { start: 0, end: text.length, matches }, options)];
  const fragments = fragmentsOf(text, matches, Math.max(1, options.fragmentSize));
  return choose(fragments, options).map((fragment) => render(text, fragment, options));
}
