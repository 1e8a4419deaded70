import { type FieldType, integerBounds } from './field-mapping.ts';

/** A date: ISO 8601 (`2026-01-31`, with a time and zone if wanted), or milliseconds since 1970. */
const isoDate = /^\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?$/;

/** Milliseconds, or null when it is no date. */
export function parseDate(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'string') return null;
  if (/^-?\d{5,}$/.test(value)) return Number(value);
  if (/^\d{4}$/.test(value)) return Date.UTC(Number(value), 0, 1);
  if (!isoDate.test(value)) return null;
  const zoned = /[T ]/.test(value) && !/(?:Z|[+-]\d{2}:?\d{2})$/.test(value.slice(10)) ? `${value}Z` : value;
  const time = Date.parse(zoned.replace(' ', 'T').replace(',', '.'));
  return Number.isNaN(time) ? null : time;
}

/** Whether a string looks like a date to the dynamic mapping. */
export const looksLikeDate = (value: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(?:$|[T ])/.test(value) && parseDate(value) !== null;

function parseBoolean(value: unknown): number | null {
  if (value === true || value === 'true') return 1;
  return value === false || value === 'false' || value === '' ? 0 : null;
}

function parseNumber(value: unknown, type: FieldType): number | null {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return null;
  const number = Number(value);
  if (!Number.isFinite(number)) return null;
  const bounds = integerBounds[type];
  if (bounds === undefined) return type === 'float' ? Math.fround(number) : number;
  const whole = Math.trunc(number);
  return whole >= bounds[0] && whole <= bounds[1] ? whole : null;
}

/** A value of a number, boolean or date field as it is indexed; null when it does not parse. */
export function numericValue(type: FieldType, value: unknown): number | null {
  if (type === 'boolean') return parseBoolean(value);
  return type === 'date' ? parseDate(value) : parseNumber(value, type);
}

/** A value of a text or keyword field as it is indexed; null when it does not parse. */
export function stringValue(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
