import { fieldLines, fieldValue, type RawFields, splitList } from './fields.ts';
import type { SelectingField, StoredResponse } from './stored-response.ts';

interface Weighted {
  readonly value: string;
  readonly weight: number;
}

/** Members of an Accept-* field with their weights, in lower case (RFC 9110 section 12.4.2). */
function weighted(text: string): Weighted[] {
  return splitList(text.toLowerCase()).map((member) => {
    const [value = '', ...parameters] = member.split(';').map((piece) => piece.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const parsed = weight === undefined ? 1 : Number(weight.slice(2));
    return { value, weight: Number.isFinite(parsed) ? parsed : 0 };
  });
}

/** Codings that origins and clients use in practice; any other is left out of the key and checked at use. */
const keyCodings = ['br', 'gzip', 'zstd'];

/**
 * Accept-Encoding in normal form: which of the common codings the client takes. Clients write it in dozens of ways that
 * select the same bytes.
 */
export function normaliseAcceptEncoding(text: string): string {
  const members = weighted(text);
  const any = members.find((member) => member.value === '*');
  return keyCodings
    .filter((coding) => {
      const own = members.find((member) => member.value === coding || member.value === `x-${coding}`);
      return (own ?? any ?? { weight: 0 }).weight > 0;
    })
    .join(',');
}

/** Accept-Language in normal form: by falling weight, then by name. */
export function normaliseAcceptLanguage(text: string): string {
  return weighted(text)
    .filter((member) => member.weight > 0)
    .sort((a, b) => b.weight - a.weight || (a.value < b.value ? -1 : 1))
    .map((member) => (member.weight === 1 ? member.value : `${member.value};q=${member.weight}`))
    .join(',');
}

/** RFC 9111 section 4.1: values may be transformed where that keeps their meaning: lines joined, white space dropped. */
const normaliseList = (text: string): string =>
  text
    .split(',')
    .map((member) => member.trim())
    .join(',');

/** A selecting field's value in normal form; '' when the request has none. */
export function normalise(name: string, text: string | undefined): string {
  if (text === undefined) return '';
  if (name === 'accept-encoding') return normaliseAcceptEncoding(text);
  if (name === 'accept-language') return normaliseAcceptLanguage(text);
  return normaliseList(text);
}

/** Names in Vary, in lower case and in order of the alphabet; '*' when any member is one. */
export function varyNames(fields: RawFields): string[] | '*' {
  const lines = fieldLines(fields, 'vary');
  if (lines.length === 0) return [];
  const names = splitList(lines.join(',').toLowerCase());
  return names.includes('*') ? '*' : [...new Set(names)].sort();
}

/** The fields of a request that select a response with these Vary names. */
export const selectingFields = (names: readonly string[], request: RawFields): SelectingField[] =>
  names.map((name) => [name, normalise(name, fieldValue(request, name))] as const);

/** The language that a client wants most; undefined when several tie or it takes any. */
function preferredLanguage(text: string): string | undefined {
  const members = weighted(text).sort((a, b) => b.weight - a.weight);
  const [best, second] = members;
  if (best === undefined || best.value === '*' || best.weight === 0) return undefined;
  return second !== undefined && second.weight === best.weight ? undefined : best.value;
}

/** True when the stored response is in the language that the request prefers to all others. */
function isPreferredLanguage(stored: StoredResponse, request: RawFields): boolean {
  const language = fieldValue(stored.fields, 'content-language')?.trim().toLowerCase();
  const wanted = fieldValue(request, 'accept-language');
  return language !== undefined && wanted !== undefined && preferredLanguage(wanted) === language;
}

/** Normal form drops rare codings, so the stored coding itself must be acceptable (RFC 9110 section 12.5.3). */
function acceptsCoding(stored: StoredResponse, request: RawFields): boolean {
  const coding = fieldValue(stored.fields, 'content-encoding')?.trim().toLowerCase();
  if (coding === undefined || coding === 'identity') return true;
  const wanted = fieldValue(request, 'accept-encoding');
  if (wanted === undefined) return false;
  const members = weighted(wanted);
  const match = members.find((member) => member.value === coding) ?? members.find((member) => member.value === '*');
  return match !== undefined && match.weight > 0;
}

/** Does the stored response's Vary select it for this request (RFC 9111 section 4.1)? */
export function matchesVary(stored: StoredResponse, request: RawFields): boolean {
  if (stored.vary.length === 0) return true;
  return stored.vary.every(([name, value]) => {
    const same = normalise(name, fieldValue(request, name)) === value;
    if (name === 'accept-encoding') return same && acceptsCoding(stored, request);
    return same || (name === 'accept-language' && isPreferredLanguage(stored, request));
  });
}

/** A key for the variant: two responses with equal keys replace each other. */
export const variantKey = (vary: readonly SelectingField[]): string =>
  vary.length === 0 ? '' : vary.map(([name, value]) => `${name}:${value}`).join('\n');
