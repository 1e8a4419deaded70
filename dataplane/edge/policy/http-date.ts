const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

// RFC 9110 section 5.6.7. Recipients match names of days and months without regard to case, and nothing else loosely.
const imfFixdate = /^(?:mon|tue|wed|thu|fri|sat|sun), (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/i;
const rfc850 = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i;
const asctime = /^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i;

interface DateParts {
  readonly year: number;
  readonly month: string;
  readonly day: number;
  readonly time: readonly (string | undefined)[];
}

function toMs({ year, month, day, time }: DateParts): number | undefined {
  const index = months.indexOf(month.toLowerCase());
  const [hour, minute, second] = time.map(Number) as [number, number, number];
  if (index < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return Date.UTC(year, index, day, hour, minute, second);
}

/** A two-digit year that seems more than 50 years ahead is of the past century (RFC 9110 section 5.6.7). */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/**
 * An HTTP date in any of its three formats, as milliseconds since 1970; undefined when it is none.
 * @param nowMs needed for the two-digit years of RFC 850
 */
export function parseHttpDate(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  let match = imfFixdate.exec(text);
  if (match) {
    return toMs({ day: Number(match[1]), month: match[2] ?? '', year: Number(match[3]), time: match.slice(4, 7) });
  }
  match = rfc850.exec(text);
  if (match) {
    const year = fullYear(Number(match[3]), nowMs);
    return toMs({ day: Number(match[1]), month: match[2] ?? '', year, time: match.slice(4, 7) });
  }
  match = asctime.exec(text);
  if (match) {
    return toMs({ day: Number(match[2]), month: match[1] ?? '', year: Number(match[6]), time: match.slice(3, 6) });
  }
  return undefined;
}
