import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';

/** Digits behind the point that a result keeps, as Redis prints its long doubles. */
const maxDigits = 17;
const spelling = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?$/i;
const infinite = /^[+-]?inf(?:inity)?$/i;

/** The number that bytes spell, infinities included; null when they do not. */
export const parseDouble = (text: string): number | null => {
  if (infinite.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return spelling.test(text) ? Number(text) : null;
};

/** Argument `i` as a number. @throws DbError */
export const doubleArgument = (frame: Frame, i: number): number => {
  const value = parseDouble(frame.key(i));
  if (value === null) throw new DbError('ERR', 'value is not a valid float');
  return value;
};

interface Decimal {
  readonly digits: bigint;
  /** Number of digits behind the point. */
  readonly scale: number;
}

/** The exact decimal of a text; null when it is none, or has more digits than make sense. */
const parseDecimal = (text: string): Decimal | null => {
  if (!spelling.test(text)) return null;
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > 400 || mantissa.length > 400) return null;
  const digits = BigInt(`${whole}${fraction}`.replace('+', '') || '0');
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
};

const rescaled = ({ digits, scale }: Decimal, to: number): bigint => digits * 10n ** BigInt(to - scale);

const format = ({ digits, scale }: Decimal): string => {
  const excess = BigInt(Math.max(0, scale - maxDigits));
  const half = excess === 0n ? 0n : 5n * 10n ** (excess - 1n);
  const rounded = (digits < 0n ? digits - half : digits + half) / 10n ** excess;
  const kept = Math.min(scale, maxDigits);
  const text = String(rounded < 0n ? -rounded : rounded).padStart(kept + 1, '0');
  const whole = text.slice(0, text.length - kept);
  const fraction = text.slice(text.length - kept).replace(/0+$/, '');
  const sign = rounded < 0n ? '-' : '';
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
};

/**
 * Sum of two numbers as text, exact in decimal: 0.1 and 0.2 are 0.3. Null when one of them is not a number.
 * @throws DbError when the result is not finite
 */
export const addDecimals = (a: string, b: string): string | null => {
  if (infinite.test(a) || infinite.test(b)) throw new DbError('ERR', 'increment would produce NaN or Infinity');
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === null || right === null) return null;
  const scale = Math.max(left.scale, right.scale);
  return format({ digits: rescaled(left, scale) + rescaled(right, scale), scale });
};
