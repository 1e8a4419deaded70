import { z } from 'zod';

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

const form = new RegExp(`^(@(hourly|daily|weekly|monthly)|${fields.join(' +')})$`);

/** A schedule as cron has it: minute, hour, day of the month, month, day of the week; or a name such as `@daily`. */
export const cron = () => z.string().max(200).regex(form);
