/**
 * Splits text into words. Close to the word boundaries of Unicode (UAX #29), with one departure: a full stop between letters
 * splits, so that `example` finds `example.com`. Apostrophes stay inside words, points and commas inside numbers.
 * Scripts that write no spaces (Han, kana, Thai, Lao, Khmer, Myanmar) go through Intl.Segmenter, all others never do.
 */

/** Called for each word with its place in the text, in UTF-16 units. */
export type OnWord = (word: string, start: number, end: number) => void;

/** Longer words are cut into pieces of this length. */
export const maxWordLength = 255;

const asciiWord = /[A-Za-z_]+(?:'[A-Za-z]+|[A-Za-z0-9_]+)*|[0-9]+(?:[.,][0-9]+)*[A-Za-z0-9_]*/g;
const letter = String.raw`[\p{L}\p{M}\p{N}_\u200d]`;
const unicodeWord = new RegExp(String.raw`[0-9]+(?:[.,][0-9]+)*${letter}*|${letter}+(?:['’]\p{L}${letter}*)*`, 'gu');
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;
const asciiOnly = /^[\0-\x7f]*$/;

let segmenter: Intl.Segmenter | undefined;

function emit(word: string, start: number, onWord: OnWord): void {
  for (let at = 0; at < word.length; at += maxWordLength) {
    const piece = word.slice(at, at + maxWordLength);
    onWord(piece, start + at, start + at + piece.length);
  }
}

function segmentRun(run: string, start: number, onWord: OnWord): void {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  for (const { segment, index, isWordLike } of segmenter.segment(run)) {
    if (isWordLike !== false) emit(segment, start + index, onWord);
  }
}

function splitMixed(word: string, start: number, onWord: OnWord): void {
  let from = 0;
  for (const run of word.matchAll(unspaced)) {
    if (run.index > from) emit(word.slice(from, run.index), start + from, onWord);
    segmentRun(run[0], start + run.index, onWord);
    from = run.index + run[0].length;
  }
  if (from < word.length) emit(word.slice(from), start + from, onWord);
}

/** Calls `onWord` for each word of the text, in order. */
export function tokenize(text: string, onWord: OnWord): void {
  const ascii = asciiOnly.test(text);
  for (const match of text.matchAll(ascii ? asciiWord : unicodeWord)) {
    if (ascii) emit(match[0], match.index, onWord);
    else splitMixed(match[0], match.index, onWord);
  }
}
