/**
 * Matches as Redis does: `*`, `?`, `[abc]`, `[^a-z]`, `\` quotes. Both sides are strings of one character a byte.
 * Linear in the pattern's stars: no pattern makes it exponential.
 */
export const globMatch = (pattern: string, text: string): boolean => {
  let [p, t] = [0, 0];
  let [starAt, starText] = [-1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      starText = t;
      continue;
    }
    const next = matchOne(pattern, p, text.charCodeAt(t));
    if (next > 0) {
      p = next;
      t++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      t = ++starText;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
};

/** What every text begins with that matches. */
export const literalPrefix = (pattern: string): string => /^[^*?[\\]*/.exec(pattern)?.[0] ?? '';

/** Where the pattern goes on when its element at `p` matches the character; 0 when it does not. */
const matchOne = (pattern: string, p: number, code: number): number => {
  if (p >= pattern.length) return 0;
  const kind = pattern[p];
  if (kind === '?') return p + 1;
  if (kind === '[') return matchClass(pattern, p + 1, code);
  const at = kind === '\\' && p + 1 < pattern.length ? p + 1 : p;
  return pattern.charCodeAt(at) === code ? at + 1 : 0;
};

/** One element of a class at `p`: its lowest and highest character, and where the next begins. */
const classElement = (pattern: string, p: number): { low: number; high: number; next: number } => {
  const at = pattern[p] === '\\' && p + 1 < pattern.length ? p + 1 : p;
  const low = pattern.charCodeAt(at);
  if (pattern[at + 1] !== '-' || at + 2 >= pattern.length) return { low, high: low, next: at + 1 };
  const high = pattern.charCodeAt(at + 2);
  return { low: Math.min(low, high), high: Math.max(low, high), next: at + 3 };
};

const matchClass = (pattern: string, start: number, code: number): number => {
  const negated = pattern[start] === '^';
  let p = negated ? start + 1 : start;
  let found = false;
  while (p < pattern.length && pattern[p] !== ']') {
    const { low, high, next } = classElement(pattern, p);
    found ||= code >= low && code <= high;
    p = next;
  }
  return found === negated ? 0 : Math.min(p + 1, pattern.length);
};
