/** Inline commands: a line of words, for people with telnet. Quoting as in Redis. */

const isSpace = (byte: number | undefined): boolean => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

interface Word {
  readonly bytes: number[];
  readonly next: number;
}

/** `\xHH` at `at` (the backslash), or null. */
const hexEscape = (line: Buffer, at: number): number | null => {
  const digits = line.toString('latin1', at + 2, at + 4);
  return line[at + 1] === 120 && /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : null;
};

/** The escape in double quotes at `at`: its byte and length. */
const escapeAt = (line: Buffer, at: number): { byte: number; length: number } => {
  const hex = hexEscape(line, at);
  if (hex !== null) return { byte: hex, length: 4 };
  const follows = line[at + 1] ?? 92;
  return { byte: escapes[String.fromCharCode(follows)] ?? follows, length: 2 };
};

/** In single quotes only the quote can be escaped; in double quotes see {@link escapeAt}. */
const isEscape = (line: Buffer, at: number, quote: number): boolean =>
  line[at] === 92 && (quote === 34 ? at + 1 < line.length : line[at + 1] === 39);

/** A quoted part; null when it never closes or text follows its end. */
const quoted = (line: Buffer, start: number): Word | null => {
  const quote = line[start] ?? 0;
  const bytes: number[] = [];
  let at = start + 1;
  while (at < line.length && line[at] !== quote) {
    const step = isEscape(line, at, quote) ? escapeAt(line, at) : { byte: line[at] ?? 0, length: 1 };
    bytes.push(step.byte);
    at += step.length;
  }
  const closed = at < line.length && (at + 1 === line.length || isSpace(line[at + 1]));
  return closed ? { bytes, next: at + 1 } : null;
};

const word = (line: Buffer, start: number): Word | null => {
  const bytes: number[] = [];
  let at = start;
  while (at < line.length && !isSpace(line[at])) {
    if (line[at] === 34 || line[at] === 39) {
      const rest = quoted(line, at);
      return rest && { bytes: [...bytes, ...rest.bytes], next: rest.next };
    }
    bytes.push(line[at] ?? 0);
    at++;
  }
  return { bytes, next: at };
};

/** The words of an inline command; null when quotes are unbalanced. */
export const splitInline = (line: Buffer): Buffer[] | null => {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at++;
    if (at >= line.length) return words;
    const found = word(line, at);
    if (found === null) return null;
    words.push(Buffer.from(found.bytes));
    at = found.next;
  }
};
