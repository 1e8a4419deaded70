/**
 * Porter2, the English stemmer of the Snowball project, as defined by
 * https://snowballstem.org/algorithms/english/stemmer.html (revision of 2025: `past`, `ogist`, `univers`, … included).
 *
 * The word is lower case. Regions R1 and R2 are offsets from its start: a suffix lies in a region when it begins at
 * or after the offset. Each step below looks for the longest suffix of its table, then decides about that one alone.
 */

const vowels = 'aeiouy';
const isVowel = (letter: string | undefined): boolean => letter !== undefined && vowels.includes(letter);

/** Words that the rules would treat badly, with their stems. */
const exceptions = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
  ['sky', 'sky'],
  ['news', 'news'],
  ['howe', 'howe'],
  ['atlas', 'atlas'],
  ['cosmos', 'cosmos'],
  ['bias', 'bias'],
  ['andes', 'andes'],
]);

/** Beginnings whose R1 starts right behind them. */
const shortStems = ['gener', 'commun', 'arsen', 'past', 'univers', 'later', 'emerg', 'organ', 'inter'];

interface Regions {
  readonly r1: number;
  readonly r2: number;
}

/** The offset behind the first non-vowel that follows a vowel, searching from `from`. */
function regionAfter(word: string, from: number): number {
  let at = from;
  while (at < word.length && !isVowel(word[at])) at++;
  while (at < word.length && isVowel(word[at])) at++;
  return Math.min(at + 1, word.length);
}

function regionsOf(word: string): Regions {
  const special = shortStems.find((stem) => word.startsWith(stem));
  const r1 = special === undefined ? regionAfter(word, 0) : special.length;
  return { r1, r2: regionAfter(word, r1) };
}

/** A `y` that acts as a consonant (first letter, or behind a vowel) is written `Y` while the steps run. */
function markConsonantY(word: string): string {
  if (!word.includes('y')) return word;
  let marked = '';
  for (const letter of word) {
    const consonant = letter === 'y' && (marked === '' || isVowel(marked.at(-1)));
    marked += consonant ? 'Y' : letter;
  }
  return marked;
}

/** Ends in a short syllable: non-vowel, vowel, non-vowel other than w, x, Y; or vowel, non-vowel as the whole word. */
function endsShort(word: string): boolean {
  if (word.endsWith('past')) return true;
  const last = word.at(-1);
  if (isVowel(last) || !isVowel(word.at(-2))) return false;
  if (word.length === 2) return true;
  return !isVowel(word.at(-3)) && last !== 'w' && last !== 'x' && last !== 'Y' && word.length > 2;
}

const hasVowel = (stem: string): boolean => {
  for (const letter of stem) if (isVowel(letter)) return true;
  return false;
};

/** The longest of `suffixes` (sorted by falling length) that the word ends in. */
const longestSuffix = (word: string, suffixes: readonly string[]): string | undefined =>
  suffixes.find((suffix) => word.endsWith(suffix));

const byLength = (a: string, b: string): number => b.length - a.length;

function step0(word: string): string {
  const suffix = longestSuffix(word, ["'s'", "'s", "'"]);
  return suffix === undefined ? word : word.slice(0, -suffix.length);
}

function step1a(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (word.endsWith('ied') || word.endsWith('ies')) return word.length > 4 ? word.slice(0, -2) : word.slice(0, -1);
  if (word.endsWith('us') || word.endsWith('ss') || !word.endsWith('s')) return word;
  return hasVowel(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

/** What remains of a word once -ed or -ing is gone: an -e comes back, or a double letter becomes one. */
function repair(stem: string, r1: number): string {
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(stem)) {
    return stem.length === 3 && 'aeo'.includes(stem.charAt(0)) ? stem : stem.slice(0, -1);
  }
  return stem.length === r1 && endsShort(stem) ? `${stem}e` : stem;
}

const keepsEed = new Set(['proc', 'exc', 'succ']);
const keepsIng = new Set(['inn', 'out', 'cann', 'herr', 'earr', 'even']);

/** The stem of dying, lying, tying, vying. */
const isShortY = (stem: string): boolean => stem.length === 2 && stem.endsWith('y') && !isVowel(stem[0]);

function step1b(word: string, { r1 }: Regions): string {
  const suffix = longestSuffix(word, ['eedly', 'ingly', 'edly', 'eed', 'ing', 'ed']);
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (suffix.startsWith('eed')) return stem.length >= r1 && !keepsEed.has(stem) ? `${stem}ee` : word;
  if (suffix === 'ing' && keepsIng.has(stem)) return word;
  if (suffix === 'ing' && isShortY(stem)) return `${stem.charAt(0)}ie`;
  return hasVowel(stem) ? repair(stem, r1) : word;
}

function step1c(word: string): string {
  const last = word.at(-1);
  const ends = (last === 'y' || last === 'Y') && word.length > 2 && !isVowel(word.at(-2));
  return ends ? `${word.slice(0, -1)}i` : word;
}

const step2Table = new Map([
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['abli', 'able'],
  ['entli', 'ent'],
  ['izer', 'ize'],
  ['ization', 'ize'],
  ['ational', 'ate'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['alli', 'al'],
  ['fulness', 'ful'],
  ['ousli', 'ous'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['bli', 'ble'],
  ['ogist', 'og'],
  ['ogi', 'og'],
  ['fulli', 'ful'],
  ['lessli', 'less'],
  ['li', ''],
]);
const step2Suffixes = [...step2Table.keys()].sort(byLength);

function step2(word: string, { r1 }: Regions): string {
  const suffix = longestSuffix(word, step2Suffixes);
  if (suffix === undefined || word.length - suffix.length < r1) return word;
  const stem = word.slice(0, -suffix.length);
  if (suffix === 'ogi' && !stem.endsWith('l')) return word;
  if (suffix === 'li' && !'cdeghkmnrt'.includes(stem.at(-1) ?? ' ')) return word;
  return stem + (step2Table.get(suffix) ?? '');
}

const step3Table = new Map([
  ['tional', 'tion'],
  ['ational', 'ate'],
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
  ['ative', ''],
]);
const step3Suffixes = [...step3Table.keys()].sort(byLength);

function step3(word: string, { r1, r2 }: Regions): string {
  const suffix = longestSuffix(word, step3Suffixes);
  if (suffix === undefined) return word;
  const start = word.length - suffix.length;
  if (start < r1 || (suffix === 'ative' && start < r2)) return word;
  return word.slice(0, start) + (step3Table.get(suffix) ?? '');
}

const step4Suffixes = (
  'al ance ence er ic able ible ant ement ment ent ism ate iti ous ive ize ion'.split(' ') as string[]
).sort(byLength);

function step4(word: string, { r2 }: Regions): string {
  const suffix = longestSuffix(word, step4Suffixes);
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (stem.length < r2) return word;
  if (suffix === 'ion' && !stem.endsWith('s') && !stem.endsWith('t')) return word;
  return stem;
}

function step5(word: string, { r1, r2 }: Regions): string {
  const stem = word.slice(0, -1);
  if (word.endsWith('e')) {
    const goes = stem.length >= r2 || (stem.length >= r1 && !endsShort(stem));
    return goes ? stem : word;
  }
  return word.endsWith('ll') && stem.length >= r2 ? stem : word;
}

/** The stem of a lower-case English word. Words of one or two letters are their own stems. */
export function porter2(input: string): string {
  const exception = exceptions.get(input);
  if (exception !== undefined) return exception;
  if (input.length <= 2) return input;
  let word = markConsonantY(input.startsWith("'") ? input.slice(1) : input);
  const regions = regionsOf(word);
  word = step1a(step0(word));
  word = step1c(step1b(word, regions));
  word = step3(step2(word, regions), regions);
  word = step5(step4(word, regions), regions);
  return word.includes('Y') ? word.replaceAll('Y', 'y') : word;
}
