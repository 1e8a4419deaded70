import type { WordList } from './growable.ts';

/** Bits that hold every one of the first `count` values. */
export function widthOf(values: Uint32Array | Int32Array, count: number): number {
  let all = 0;
  for (let i = 0; i < count; i++) all |= values[i] as number;
  return 32 - Math.clz32(all);
}

/** Words that `count` values of `width` bits fill. */
export const packedWords = (count: number, width: number): number => (count * width + 31) >>> 5;

/** Appends the first `count` values, `width` bits each, without gaps. */
export function pack(out: WordList, values: Uint32Array | Int32Array, count: number, width: number): void {
  const words = packedWords(count, width);
  out.reserve(words);
  const target = out.words;
  const start = out.length;
  target.fill(0, start, start + words);
  for (let i = 0, bit = 0; i < count; i++, bit += width) {
    const value = values[i] as number;
    const word = start + (bit >>> 5);
    const shift = bit & 31;
    target[word] = (target[word] as number) | (value << shift);
    if (shift + width > 32) target[word + 1] = value >>> (32 - shift);
  }
  out.length = start + words;
}

/** Reads `count` values of `width` bits that start at bit `bit` of word `at`, into `out`. */
export function unpackFrom(
  words: Uint32Array,
  at: number,
  shape: { bit: number; count: number; width: number },
  out: Int32Array,
): void {
  const { count, width } = shape;
  const mask = width === 32 ? -1 : (1 << width) - 1;
  for (let i = 0, { bit } = shape; i < count; i++, bit += width) {
    const word = at + (bit >>> 5);
    const shift = bit & 31;
    let value = (words[word] as number) >>> shift;
    if (shift + width > 32) value |= (words[word + 1] as number) << (32 - shift);
    out[i] = value & mask;
  }
}

/** Reads `count` values of `width` bits that start at word `at`, into `out`. */
export function unpack(words: Uint32Array, at: number, shape: { count: number; width: number }, out: Int32Array): void {
  const { count, width } = shape;
  if (width === 0) {
    out.fill(0, 0, count);
    return;
  }
  const mask = width === 32 ? -1 : (1 << width) - 1;
  for (let i = 0, bit = 0; i < count; i++, bit += width) {
    const word = at + (bit >>> 5);
    const shift = bit & 31;
    let value = (words[word] as number) >>> shift;
    if (shift + width > 32) value |= (words[word + 1] as number) << (32 - shift);
    out[i] = value & mask;
  }
}
