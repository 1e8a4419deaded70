/**
 * Postings of one term, as 32-bit words.
 *
 * ```
 * few (df <= 8):   doc, frequency, doc, frequency, … | width of positions | packed positions
 * blocks:          one header per block of 128, then the blocks
 *   header         last doc | data at (words from the term's start) | 3 impact points
 *   block          widths: docs (low 8 bits), frequencies (next 8), positions (next 8)
 *                  | packed (doc - previous - 1) | packed (frequency - 1) | packed positions
 * ```
 * Positions are stored as they are, not as differences, all of a block in the same width: those of one posting are reached
 * without reading those before it. Fields without positions have neither them nor their width.
 */
export const blockSize = 128;
export const fewPostings = 8;
export const headerWords = 5;
/** Where a header's impact points start. */
export const impactsAt = 2;

export const blockCount = (df: number): number => (df <= fewPostings ? 1 : Math.ceil(df / blockSize));
