/** Load of an edge over the last seconds, as heartbeats report it. */
export interface EdgeLoadFigures {
  readonly requestsPerSecond: number;
  readonly mbitPerSecond: number;
  readonly hitRate: number;
}

interface Bucket {
  second: number;
  requests: number;
  hits: number;
  bytes: number;
}

const windowSeconds = 5;

/** Counts requests, hits and bytes in one-second buckets: constant memory, nothing to expire. */
export class LoadMeter {
  private readonly buckets: Bucket[] = Array.from({ length: windowSeconds + 1 }, () => ({
    second: -1,
    requests: 0,
    hits: 0,
    bytes: 0,
  }));

  /** Since the start. */
  readonly totals = { requests: 0, hits: 0 };

  count(now: number, hit: boolean, bytes: number): void {
    this.totals.requests++;
    if (hit) this.totals.hits++;
    const bucket = this.bucket(Math.floor(now / 1000));
    bucket.requests++;
    if (hit) bucket.hits++;
    bucket.bytes += bytes;
  }

  /** Rates over the whole seconds before this one; the hit rate is 0 when there was no request. */
  figures(now: number): EdgeLoadFigures {
    const second = Math.floor(now / 1000);
    const past = this.buckets.filter((bucket) => bucket.second < second && bucket.second >= second - windowSeconds);
    const sum = (of: (bucket: Bucket) => number): number => past.reduce((total, bucket) => total + of(bucket), 0);
    const requests = sum((bucket) => bucket.requests);
    return {
      requestsPerSecond: requests / windowSeconds,
      mbitPerSecond: (sum((bucket) => bucket.bytes) * 8) / 1_000_000 / windowSeconds,
      hitRate: requests === 0 ? 0 : sum((bucket) => bucket.hits) / requests,
    };
  }

  private bucket(second: number): Bucket {
    const bucket = this.buckets[second % this.buckets.length] as Bucket;
    if (bucket.second !== second) {
      bucket.second = second;
      bucket.requests = 0;
      bucket.hits = 0;
      bucket.bytes = 0;
    }
    return bucket;
  }
}
