/**
 * OpenSearch's `minimum_should_match`: a number, a percentage, either of them negative (how many may be missing), and
 * conditions `n<rule` that hold when there are more than n clauses; several are separated by spaces.
 */
export interface MinimumShouldMatch {
  readonly rules: readonly { readonly above: number; readonly value: number; readonly percent: boolean }[];
}

const rule = /^(?:(\d{1,6})<)?(-?\d{1,6})(%?)$/;

/** Null: not a valid specification. */
export function parseMinimumShouldMatch(text: string | number): MinimumShouldMatch | null {
  const rules = String(text)
    .trim()
    .split(/\s+/)
    .map((part) => rule.exec(part.replaceAll(/\s/g, '')));
  const parsed = rules.flatMap((match) =>
    match === null ? [] : [{ above: Number(match[1] ?? 0), value: Number(match[2]), percent: match[3] === '%' }],
  );
  return parsed.length === rules.length ? { rules: parsed.sort((a, b) => a.above - b.above) } : null;
}

/** How many of `clauses` have to match: 0..clauses. */
export function requiredMatches({ rules }: MinimumShouldMatch, clauses: number): number {
  let required = clauses;
  for (const { above, value, percent } of rules) {
    if (clauses <= above && above > 0) break;
    const amount = percent ? Math.trunc((clauses * Math.abs(value)) / 100) : Math.abs(value);
    required = value < 0 ? clauses - amount : amount;
  }
  return Math.max(0, Math.min(clauses, required));
}
