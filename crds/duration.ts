import { z } from 'zod';
import { rules } from './cel.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const form = /^([0-9]{1,9}(ms|s|m|h)){1,4}$/;

/** Milliseconds of a duration such as `1h30m`. Throws a RangeError when it is none. */
export const durationMs = (text: string): number => {
  if (!form.test(text)) throw new RangeError(`not a duration: ${text}`);
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
};

/** A length of time in hours, minutes, seconds and milliseconds, between two bounds. */
export const duration = (field: string, min: string, max: string) =>
  z
    .string()
    .max(40)
    .regex(form)
    .meta(
      rules({
        rule: `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
        message: `${field} must be between ${min} and ${max}`,
      }),
    );
