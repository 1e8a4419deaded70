/** Parts of each power of two: a value is off by at most a sixteenth. */
const [parts, partBits] = [16, 4];
/** Up to 2^31 microseconds, 36 minutes. */
const size = parts * (32 - partBits);

const indexOf = (micros: number): number => {
  const value = Math.min(Math.max(Math.floor(micros), 0), 2 ** 31 - 1);
  if (value < parts) return value;
  const exponent = 31 - Math.clz32(value);
  return (exponent - partBits + 1) * parts + ((value >> (exponent - partBits)) & (parts - 1));
};

/** Highest value of a bucket, microseconds. */
const upperBound = (index: number): number => {
  if (index < parts) return index;
  const exponent = Math.floor(index / parts) + partBits - 1;
  return 2 ** exponent + ((index % parts) + 1) * 2 ** (exponent - partBits) - 1;
};

/** Durations in buckets that grow with their size: noting one takes some nanoseconds, and all take 4 KB. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(size);
  /** How many were noted. */
  count = 0;
  /** All of them together, microseconds. */
  sum = 0;

  note(micros: number): void {
    const index = indexOf(micros);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count++;
    this.sum += micros;
  }

  /** What a share of the durations (0..1) does not exceed, microseconds; 0 when there are none. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.count));
    if (this.count === 0) return 0;
    for (let i = 0; i < size; i++) {
      left -= this.#counts[i] ?? 0;
      if (left <= 0) return upperBound(i);
    }
    return upperBound(size - 1);
  }

  /** How many durations are in buckets that end at or below each bound; bounds rise, microseconds. */
  cumulative(bounds: readonly number[]): number[] {
    let [i, below] = [0, 0];
    return bounds.map((bound) => {
      for (; i < size && upperBound(i) <= bound; i++) below += this.#counts[i] ?? 0;
      return below;
    });
  }

  reset(): void {
    this.#counts.fill(0);
    this.count = this.sum = 0;
  }
}
