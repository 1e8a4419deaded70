/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws ranks 0..size-1 with probabilities that fall as 1 / (rank + 2.7), Zipf's law as Mandelbrot has it. */
export class Zipf {
  readonly #cumulative: Float64Array;
  readonly #random: () => number;

  constructor(size: number, random: () => number) {
    this.#cumulative = new Float64Array(size);
    this.#random = random;
    let sum = 0;
    for (let rank = 0; rank < size; rank++) this.#cumulative[rank] = sum += 1 / (rank + 2.7);
  }

  next(): number {
    const { length } = this.#cumulative;
    const wanted = this.#random() * (this.#cumulative[length - 1] ?? 1);
    let low = 0;
    let high = length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulative[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const vocabularySize = 150_000;

/** The word of a rank: letters only, so that every engine cuts and keeps it alike. */
export function wordOf(rank: number): string {
  let word = 'q';
  for (let rest = rank; ; rest = Math.floor(rest / 20)) {
    word += 'bcdfghjklmnprstvwxyz'.charAt(rest % 20);
    if (rest < 20) return word;
    word += 'a';
  }
}

export interface BenchDocument {
  readonly id: string;
  readonly body: string;
}

/** Documents of 20 to 220 words; the same ones for the same seed. */
export function* zipfDocuments(count: number, seed: number): Generator<BenchDocument> {
  const random = seededRandom(seed);
  const zipf = new Zipf(vocabularySize, random);
  for (let i = 0; i < count; i++) {
    const length = 20 + Math.floor(random() * 201);
    const words: string[] = [];
    for (let at = 0; at < length; at++) words.push(wordOf(zipf.next()));
    yield { id: `d${String(i).padStart(7, '0')}`, body: words.join(' ') };
  }
}
