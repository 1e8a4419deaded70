/**
 * What bounds the score of a block of postings: up to three points (term frequency, field length), such that every posting
 * of the block has a frequency at most, and a length at least, that of one of them. Unlike a stored maximum score this
 * stays right when the average length of the collection changes.
 *
 * A point is one word: frequency in the upper 16 bits, length in the lower 16. Frequencies of 65,535 and more are stored as
 * 65,535, which {@link pointFrequency} reads as infinite; lengths above 65,535 are stored as that, a lower bound.
 */
export const impactPoints = 3;

const saturated = 0xffff;

export const pointFrequency = (point: number): number => {
  const frequency = point >>> 16;
  return frequency === saturated ? Number.MAX_SAFE_INTEGER : frequency;
};
export const pointLength = (point: number): number => point & 0xffff;

const toPoint = (frequency: number, length: number): number =>
  ((Math.min(frequency, saturated) << 16) | Math.min(length, saturated)) >>> 0;

/** Scratch of one thread: the shortest length per frequency of the block at hand. */
const shortest = new Map<number, number>();

/** The points of `count` postings; unused ones are 0, which no posting needs. */
export function impactsOf(frequencies: Int32Array, lengths: Int32Array, count: number): number[] {
  shortest.clear();
  for (let i = 0; i < count; i++) {
    const frequency = frequencies[i] as number;
    const length = lengths[i] as number;
    const known = shortest.get(frequency);
    if (known === undefined || length < known) shortest.set(frequency, length);
  }
  const frontier: [number, number][] = [];
  for (const frequency of [...shortest.keys()].sort((a, b) => b - a)) {
    const length = shortest.get(frequency) ?? 0;
    const last = frontier.at(-1);
    if (last === undefined || length < last[1]) frontier.push([frequency, length]);
  }
  return collapse(frontier);
}

/** Joins neighbours until {@link impactPoints} are left; a joined point has the higher frequency and the shorter length. */
function collapse(frontier: readonly [number, number][]): number[] {
  const points: number[] = [];
  const size = Math.max(1, Math.ceil(frontier.length / impactPoints));
  for (let from = 0; from < frontier.length; from += size) {
    const first = frontier[from];
    const last = frontier[Math.min(from + size, frontier.length) - 1];
    if (first !== undefined && last !== undefined) points.push(toPoint(first[0], last[1]));
  }
  while (points.length < impactPoints) points.push(0);
  return points;
}
