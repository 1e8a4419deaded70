import type { StoredPart } from './stored-response.ts';

/** A range of bytes; both ends are inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** What to do with a Range field. */
export type RangeOutcome =
  /** Not a byte range, or one that is not served in parts: answer with the whole. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'parts'; readonly ranges: readonly ByteRange[] }
  /** Answer 416. */
  | { readonly kind: 'unsatisfiable' };

interface RangeSpec {
  /** Undefined for a suffix. */
  readonly first: number | undefined;
  /** Undefined for an open end; the length for a suffix. */
  readonly last: number | undefined;
}

/** More ranges than a sane client asks for: answer with the whole (RFC 9110 section 14.2, denial of service). */
const maxRanges = 16;

const specPattern = /^(\d{0,15})-(\d{0,15})$/;

function parseSpec(text: string): RangeSpec | undefined {
  const match = specPattern.exec(text);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const first = match[1] === '' ? undefined : Number(match[1]);
  const last = match[2] === '' ? undefined : Number(match[2]);
  return first !== undefined && last !== undefined && last < first ? undefined : { first, last };
}

/** The specs of `bytes=…`; undefined when the field is something else or malformed (RFC 9110 section 14.1.1). */
function parseSpecs(value: string): RangeSpec[] | undefined {
  const match = /^bytes\s*=\s*(.*)$/i.exec(value.trim());
  if (!match) return undefined;
  const specs = (match[1] ?? '').split(',').map((text) => parseSpec(text.trim()));
  return specs.length > maxRanges || specs.includes(undefined) ? undefined : (specs as RangeSpec[]);
}

function resolve(spec: RangeSpec, length: number): ByteRange | undefined {
  if (spec.first === undefined) {
    const suffix = Math.min(spec.last ?? 0, length);
    return suffix === 0 ? undefined : { first: length - suffix, last: length - 1 };
  }
  if (spec.first >= length) return undefined;
  return { first: spec.first, last: Math.min(spec.last ?? length - 1, length - 1) };
}

function overlap(ranges: readonly ByteRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  return sorted.some((range, i) => i > 0 && range.first <= (sorted[i - 1] as ByteRange).last);
}

/** Evaluates Range against a representation of `length` bytes (RFC 9110 section 14.2). */
export function evaluateRange(value: string, length: number): RangeOutcome {
  const specs = parseSpecs(value);
  if (specs === undefined) return { kind: 'whole' };
  const ranges = specs.map((spec) => resolve(spec, length)).filter((range) => range !== undefined);
  if (ranges.length === 0) return { kind: 'unsatisfiable' };
  return ranges.length > 1 && overlap(ranges) ? { kind: 'whole' } : { kind: 'parts', ranges };
}

/**
 * The one range that a stored part can answer, or undefined. Without a known length only ranges with both ends can be
 * told to lie inside it.
 */
export function rangeWithin(value: string, part: ContentRange): ByteRange | undefined {
  const specs = parseSpecs(value);
  const [spec] = specs ?? [];
  if (specs?.length !== 1 || spec === undefined) return undefined;
  const range = part.length === undefined ? closedRange(spec) : resolve(spec, part.length);
  return range !== undefined && range.first >= part.first && range.last <= part.last ? range : undefined;
}

const closedRange = (spec: RangeSpec): ByteRange | undefined =>
  spec.first === undefined || spec.last === undefined ? undefined : { first: spec.first, last: spec.last };

/** Content-Range of a 206: positions are inclusive, the length is undefined when the sender does not know it. */
export type ContentRange = Omit<StoredPart, 'requested'>;

/** A Content-Range of a 206 (RFC 9110 section 14.4); undefined when invalid. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(value?.trim() ?? '');
  if (!match) return undefined;
  const part = {
    first: Number(match[1]),
    last: Number(match[2]),
    length: match[3] === '*' ? undefined : Number(match[3]),
  };
  const valid = part.first <= part.last && (part.length === undefined || part.last < part.length);
  return valid ? part : undefined;
}

export const contentRange = (range: ByteRange, length: number | undefined): string =>
  `bytes ${range.first}-${range.last}/${length ?? '*'}`;
