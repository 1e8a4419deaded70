/** A shard's place in an index. */
export interface OrdinalClaim {
  readonly name: string;
  readonly index: string;
  readonly ordinal: number;
  readonly of: number;
  /** RFC 3339. */
  readonly created: string;
}

export interface OrdinalVerdict {
  readonly problems: readonly string[];
  /** Why this shard must not serve, or null. The older shard of an index holds documents already, so it is right. */
  readonly conflict: string | null;
}

const isOlder = (a: OrdinalClaim, b: OrdinalClaim): boolean =>
  a.created === b.created ? a.name < b.name : a.created < b.created;

const byAge = (a: OrdinalClaim, b: OrdinalClaim): number => (isOlder(a, b) ? -1 : 1);

const missing = (of: number, claims: readonly OrdinalClaim[]): number[] => {
  const present = new Set(claims.map(({ ordinal }) => ordinal));
  return Array.from({ length: of }, (_, ordinal) => ordinal).filter((ordinal) => !present.has(ordinal));
};

/** Judges one shard against all shards of its namespace. Shards of other indexes do not matter. */
export const judgeOrdinal = (own: OrdinalClaim, all: readonly OrdinalClaim[]): OrdinalVerdict => {
  const siblings = all.filter((claim) => claim.index === own.index && claim.name !== own.name).sort(byAge);
  const twins = siblings.filter((claim) => claim.ordinal === own.ordinal);
  const strangers = siblings.filter((claim) => claim.of !== own.of);
  const problems = [
    ...twins.map(({ name }) => `${name} has ordinal ${own.ordinal} too`),
    ...strangers.map(({ name, of }) => `${name} says the index has ${of} shards, this one says ${own.of}`),
  ];
  const absent = missing(own.of, [own, ...siblings]);
  if (absent.length > 0) problems.push(`ordinals without a shard: ${absent.slice(0, 20).join(', ')}`);
  const olderTwin = twins.find((other) => isOlder(other, own));
  const olderStranger = strangers.find((other) => isOlder(other, own));
  if (olderTwin) {
    return { problems, conflict: `the older shard ${olderTwin.name} has ordinal ${own.ordinal} of index ${own.index}` };
  }
  if (olderStranger) {
    const conflict = `the older shard ${olderStranger.name} says that index ${own.index} has ${olderStranger.of} shards`;
    return { problems, conflict };
  }
  return { problems, conflict: null };
};
