import type { FieldMapping } from '../mapping/field-mapping.ts';
import { integerBounds } from '../mapping/field-mapping.ts';
import { parseDate } from '../mapping/field-values.ts';
import { badRequest } from '../search-error.ts';
import { nothing, type Plan } from './plan.ts';
import type { RangeBounds, Scalar } from './query.ts';

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  H: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** `now`, `now-7d`, or a date. Months, years and rounding of date math are not known. */
function dateBound(value: Scalar): number | null {
  const relative = typeof value === 'string' ? /^now(?:([+-])(\d{1,9})([smhHdw]))?$/.exec(value) : null;
  if (relative === null) return parseDate(value);
  const [, sign, amount, unit] = relative;
  const shift = unit === undefined ? 0 : Number(amount) * (unitMs[unit] ?? 0);
  return Date.now() + (sign === '-' ? -shift : shift);
}

function numberBound(field: FieldMapping, value: Scalar): number {
  const number = field.type === 'date' ? dateBound(value) : Number(value);
  const usable = number !== null && !Number.isNaN(number) && !(typeof value === 'string' && value.trim() === '');
  if (usable) return number;
  throw badRequest(
    field.type === 'date' ? 'parse_exception' : 'number_format_exception',
    `failed to parse [${String(value).slice(0, 100)}] on field [${field.path}] of type [${field.type}]`,
  );
}

/** The next double above (`direction` 1) or below (-1). */
function neighbour(value: number, direction: 1 | -1): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(value > 0 === direction > 0 ? 1 : -1));
  return view.getFloat64(0);
}

function numbers(field: FieldMapping, { gt, gte, lt, lte }: RangeBounds): Plan {
  const whole = integerBounds[field.type] !== undefined || field.type === 'date';
  const lows = [Number.NEGATIVE_INFINITY];
  const highs = [Number.POSITIVE_INFINITY];
  if (gte !== undefined) lows.push(numberBound(field, gte));
  if (gt !== undefined) {
    const bound = numberBound(field, gt);
    lows.push(whole ? Math.floor(bound) + 1 : neighbour(bound, 1));
  }
  if (lte !== undefined) highs.push(numberBound(field, lte));
  if (lt !== undefined) {
    const bound = numberBound(field, lt);
    highs.push(whole ? Math.ceil(bound) - 1 : neighbour(bound, -1));
  }
  return { type: 'numbers', field: field.path, low: Math.max(...lows), high: Math.min(...highs) };
}

/** A range over a number, date, boolean, keyword or text field. Throws bad-request for bounds that do not fit. */
export function planRange(field: FieldMapping, bounds: RangeBounds): Plan {
  if (field.index === false) return nothing;
  if (field.type === 'boolean') {
    const asNumber = (value: Scalar | undefined): Scalar | undefined =>
      typeof value === 'boolean' ? Number(value) : value;
    const given = Object.entries(bounds).map(([key, value]: [string, Scalar]) => [key, asNumber(value)]);
    return numbers({ ...field, type: 'byte' }, Object.fromEntries(given) as RangeBounds);
  }
  if (field.type !== 'keyword' && field.type !== 'text') return numbers(field, bounds);
  const low = bounds.gt ?? bounds.gte;
  const high = bounds.lt ?? bounds.lte;
  return {
    type: 'keywords',
    field: field.path,
    bounds: {
      low: low === undefined ? null : String(low),
      lowIncluded: bounds.gt === undefined,
      high: high === undefined ? null : String(high),
      highIncluded: bounds.lt === undefined,
    },
  };
}
