/** Where a term of a phrase stands in one document. */
export interface TermPlaces {
  /** Its position within the phrase. */
  readonly offset: number;
  readonly positions: { readonly positions: Int32Array; readonly length: number };
}

/** Whether `positions` hold a value in [from, to]. */
function holds({ positions, length }: TermPlaces['positions'], from: number, to: number): boolean {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low < length && (positions[low] as number) <= to;
}

/**
 * How often the phrase stands in the document: the number of places of its first listed term around which every
 * other term stands at its distance, or up to `slop` positions from there.
 */
export function phraseFrequency(terms: readonly TermPlaces[], slop: number): number {
  const [lead, second] = terms;
  if (lead === undefined) return 0;
  if (second !== undefined && terms.length === 2 && slop === 0) return pairFrequency(lead, second);
  let frequency = 0;
  for (let i = 0; i < lead.positions.length; i++) {
    const start = (lead.positions.positions[i] as number) - lead.offset;
    let all = true;
    for (let t = 1; all && t < terms.length; t++) {
      const { offset, positions } = terms[t] as TermPlaces;
      all = holds(positions, start + offset - slop, start + offset + slop);
    }
    if (all) frequency++;
  }
  return frequency;
}

/** Two terms at one distance: both lists are walked once. */
function pairFrequency(lead: TermPlaces, second: TermPlaces): number {
  const distance = second.offset - lead.offset;
  const a = lead.positions;
  const b = second.positions;
  let frequency = 0;
  for (let i = 0, j = 0; i < a.length; i++) {
    const wanted = (a.positions[i] as number) + distance;
    while (j < b.length && (b.positions[j] as number) < wanted) j++;
    if (j === b.length) break;
    if (b.positions[j] === wanted) frequency++;
  }
  return frequency;
}
