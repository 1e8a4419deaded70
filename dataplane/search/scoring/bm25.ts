/**
 * BM25 (Robertson, Zaragoza 2009) in Lucene's form, without the constant factor k1 + 1:
 *
 *   idf = ln(1 + (N - df + 0.5) / (df + 0.5));  score = boost * idf * tf / (tf + k1 * (1 - b + b * length / average))
 *
 * Every score is rounded to a multiple of 2^-24, and scores stay far below 2^28, so sums of scores are exact in a double:
 * they do not depend on the order of addition. That is why pruning, segments and shards cannot change a score.
 */
export const k1 = 1.2;
export const b = 0.75;

/** The smallest difference between two scores. */
export const scoreQuantum = 2 ** -24;

/** Adding 1.5 * 2^28 leaves no bits below 2^-24 in a double's mantissa. */
const rounder = 1.5 * 2 ** 28;

/** Rounds a score to a multiple of {@link scoreQuantum}. */
export const quantize = (score: number): number => score + rounder - rounder;

/** Largest boost that keeps scores in the exact range. */
export const maxBoost = 10_000;

export function inverseDocumentFrequency(documents: number, df: number): number {
  return Math.log(1 + (Math.max(documents, df) - df + 0.5) / (df + 0.5));
}

/** The part of BM25 that depends on the length: tf / (tf + constant + perLength * length). */
export interface Norm {
  readonly constant: number;
  readonly perLength: number;
  /** Field length per document; null: lengths do not count (keywords). */
  readonly lengths: Uint32Array | null;
}

/** The norm of a text field in a collection whose average field length is `average`. */
export function lengthNorm(average: number, lengths: Uint32Array): Norm {
  return { constant: k1 * (1 - b), perLength: average > 0 ? (k1 * b) / average : 0, lengths };
}

/** The norm of a field without lengths. */
export const flatNorm: Norm = { constant: k1, perLength: 0, lengths: null };

/** The score of one term in one document. */
export function termScore(weight: number, frequency: number, length: number, norm: Norm): number {
  return quantize(weight * (frequency / (frequency + norm.constant + norm.perLength * length)));
}
