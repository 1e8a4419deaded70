/** A shard's claim on keys, as far as ranges go. */
export interface RangeClaim {
  readonly name: string;
  readonly database: string;
  /** '' = from the lowest key. */
  readonly start: string;
  /** '' = to the highest key. */
  readonly end: string;
  /** RFC 3339. */
  readonly created: string;
}

export interface RangeVerdict {
  /** What is wrong around this shard; empty when all is well. */
  readonly problems: readonly string[];
  /** Why this shard must not serve, or null. Of two that overlap the older serves: keys were written to it. */
  readonly conflict: string | null;
}

/** Byte order, as the store has it: JavaScript's own order of strings differs beyond the basic plane. */
const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const endsBefore = (end: string, start: string): boolean => end !== '' && order(end, start) <= 0;

const overlap = (a: RangeClaim, b: RangeClaim): boolean => !endsBefore(a.end, b.start) && !endsBefore(b.end, a.start);

const isOlder = (a: RangeClaim, b: RangeClaim): boolean =>
  a.created === b.created ? a.name < b.name : a.created < b.created;

const show = (start: string, end: string): string => `["${start}", ${end === '' ? 'end' : `"${end}"`})`;

/** Ranges of keys that no shard of the list holds, from the lowest key to the highest. */
const gaps = (claims: readonly RangeClaim[]): { readonly start: string; readonly end: string }[] => {
  const found: { start: string; end: string }[] = [];
  let covered: string | null = '';
  for (const claim of [...claims].sort((a, b) => order(a.start, b.start))) {
    if (covered === null) break;
    if (order(claim.start, covered) > 0) found.push({ start: covered, end: claim.start });
    if (claim.end === '') covered = null;
    else if (order(claim.end, covered) > 0) covered = claim.end;
  }
  if (covered !== null) found.push({ start: covered, end: '' });
  return found;
};

/** Judges one shard against all shards of its namespace. Shards of other databases do not matter. */
export const judgeRange = (own: RangeClaim, all: readonly RangeClaim[]): RangeVerdict => {
  const siblings = all.filter((claim) => claim.database === own.database && claim.name !== own.name);
  const overlapping = siblings.filter((claim) => overlap(own, claim)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems = overlapping.map((other) => `overlaps with ${other.name} ${show(other.start, other.end)}`);
  const winner = overlapping.find((other) => isOlder(other, own));
  for (const gap of gaps([own, ...siblings])) {
    if (gap.end === own.start || gap.start === own.end) problems.push(`no shard holds ${show(gap.start, gap.end)}`);
  }
  return {
    problems,
    conflict: winner === undefined ? null : `its range overlaps with the older shard ${winner.name}, which serves it`,
  };
};
