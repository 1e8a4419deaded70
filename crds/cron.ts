import { z } from 'zod';
import { rules } from './cel.ts';

/** One field of a schedule: `*`, a number, a range, each with a step if wanted; several separated by commas. */
const field = (number: string): string => {
  const part = `(\\*|(${number})(-(${number}))?)(/[1-9][0-9]?)?`;
  return `${part}(,${part}){0,15}`;
};

const months = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC';
const days = 'SUN|MON|TUE|WED|THU|FRI|SAT';

const fields = [
  field('[0-5]?[0-9]'),
  field('[01]?[0-9]|2[0-3]'),
  field('0?[1-9]|[12][0-9]|3[01]'),
  field(`0?[1-9]|1[0-2]|${months}`),
  field(`[0-7]|${days}`),
];

/** A text of a form that is too long to be shown: who gets it wrong is told in words instead. */
const formed = (maxLength: number, form: string, message: string) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => new RegExp(form).test(text), message)
    .meta(rules({ rule: `self.matches(r'${form}')`, message }));

/** A schedule as cron has it: minute, hour, day of the month, month, day of the week; or a name such as `@daily`. */
export const cron = (field: string) =>
  formed(
    200,
    `^(@(hourly|daily|weekly|monthly)|${fields.join(' +')})$`,
    `${field} must be minute, hour, day of the month, month and day of the week as in cron, such as '0 3 * * *', or one of @hourly, @daily, @weekly, @monthly`,
  );

const zonePart = '[A-Za-z0-9]+([_+-][A-Za-z0-9]+)*';

/** A name of the IANA time zone database, as far as its form tells. */
export const timeZone = (field: string) =>
  formed(64, `^${zonePart}(/${zonePart}){0,2}$`, `${field} must be the name of a time zone, such as Europe/Berlin`);
