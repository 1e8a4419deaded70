import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { View } from './view.ts';

const maxInteger = 2n ** 63n - 1n;
const minInteger = -(2n ** 63n);

/** The 64-bit integer that bytes spell, in the only spelling that Redis takes; null when they do not. */
export const parseInteger = (text: string): bigint | null => {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return null;
  const value = BigInt(text);
  return value >= minInteger && value <= maxInteger ? value : null;
};

/** Whether a result still is a 64-bit integer. */
export const fitsInteger = (value: bigint): boolean => value >= minInteger && value <= maxInteger;

/** Argument `i` as an integer. @throws DbError */
export const integerArgument = (frame: Frame, i: number): bigint => {
  const value = parseInteger(frame.key(i));
  if (value === null) throw new DbError('ERR', 'value is not an integer or out of range');
  return value;
};

/** Argument `i` as an integer that a number holds exactly. @throws DbError */
export const smallInteger = (frame: Frame, i: number): number => {
  const value = integerArgument(frame, i);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new DbError('ERR', 'value is not an integer or out of range');
  return number;
};

/** Argument `i` as a count, which is not negative. @throws DbError */
export const countArgument = (frame: Frame, i: number): number => {
  const value = Number(parseInteger(frame.key(i)) ?? -1n);
  if (value < 0) throw new DbError('ERR', 'value is out of range, must be positive');
  return value;
};

/** Names of time options: what one unit is in milliseconds, and whether the time is absolute. */
export const timeUnits: Readonly<Record<string, { readonly ms: number; readonly absolute: boolean }>> = {
  EX: { ms: 1000, absolute: false },
  PX: { ms: 1, absolute: false },
  EXAT: { ms: 1000, absolute: true },
  PXAT: { ms: 1, absolute: true },
};

/** Latest time that a date can hold, milliseconds. */
const maxTimeMs = 8.64e15;

/** When a TTL ends, milliseconds. @throws DbError naming the command when it is out of range */
export const expiryTime = (view: View, amount: bigint, unit: string, command: string): number => {
  const { ms, absolute } = timeUnits[unit] ?? { ms: 1, absolute: false };
  const at = Number(amount) * ms + (absolute ? 0 : view.now);
  if (Math.abs(at) > maxTimeMs) throw new DbError('ERR', `invalid expire time in '${command}' command`);
  return at;
};

/** As {@link expiryTime}, for commands that take only times above zero. @throws DbError */
export const positiveExpiry = (view: View, amount: bigint, unit: string, command: string): number => {
  if (amount <= 0n) throw new DbError('ERR', `invalid expire time in '${command}' command`);
  return expiryTime(view, amount, unit, command);
};

export const syntaxError = (): DbError => new DbError('ERR', 'syntax error');
