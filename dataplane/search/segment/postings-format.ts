/**
 * Postings of one term, as 32-bit words.
 *
 * ```
 * few (df <= 8):   doc, frequency, doc, frequency, …
 * blocks:          one header per block of 128, then the blocks
 *   header         last doc | data at (words from the term's start) | positions at (bytes from the term's) | 3 impact points
 *   block          widths: docs (low 8 bits), frequencies (next 8) | packed (doc - previous - 1) | packed (frequency - 1)
 * ```
 * Positions lie apart, in bytes: for each posting its positions, the first as it is, then differences, as varints.
 */
export const blockSize = 128;
export const fewPostings = 8;
export const headerWords = 6;

export const blockCount = (df: number): number => (df <= fewPostings ? 1 : Math.ceil(df / blockSize));
