import { expect, test } from 'vitest';
import { dbBackupSpec } from '../../crds/db-backup.ts';
import { parseSchedule } from './schedule.ts';

const nextOf = (expression: string, timeZone: string, after: string): string => {
  const parsed = parseSchedule(expression, timeZone);
  if (!parsed.ok) return parsed.problem;
  return new Date(parsed.schedule.next(Date.parse(after)) ?? 0).toISOString();
};

test.each([
  ['0 3 * * *', 'Etc/UTC', '2026-11-30T22:50:00Z', '2026-12-01T03:00:00.000Z'],
  ['0 3 * * *', 'Europe/Berlin', '2026-11-30T22:50:00Z', '2026-12-01T02:00:00.000Z'],
  // a time itself is not after itself
  ['* * * * *', 'Etc/UTC', '2026-11-30T22:50:00Z', '2026-11-30T22:51:00.000Z'],
  ['*/15 8-18 * * MON-FRI', 'Etc/UTC', '2026-11-28T10:01:00Z', '2026-11-30T08:00:00.000Z'],
  ['@daily', 'Etc/UTC', '2026-11-30T22:50:00Z', '2026-12-01T00:00:00.000Z'],
  ['0 0 29 2 *', 'Etc/UTC', '2026-11-30T22:50:00Z', '2028-02-29T00:00:00.000Z'],
  // the hour that is left out in spring, and the one that comes twice in autumn: once each
  ['30 2 * * *', 'Europe/Berlin', '2027-03-27T20:00:00Z', '2027-03-28T01:00:00.000Z'],
  ['30 2 * * *', 'Europe/Berlin', '2027-10-31T00:30:00Z', '2027-11-01T01:30:00.000Z'],
])('%s in %s after %s is due at %s', (expression, timeZone, after, next) => {
  expect(nextOf(expression, timeZone, after)).toBe(next);
  expect(dbBackupSpec.shape.schedule.safeParse(expression).success).toBe(true);
  expect(dbBackupSpec.shape.timeZone.safeParse(timeZone).success).toBe(true);
});

test.each([
  ['30-10 * * * *', 'Etc/UTC', /^schedule 30-10 \* \* \* \* makes no sense: .*larger/],
  ['0 0 30 2 *', 'Etc/UTC', /^schedule 0 0 30 2 \* names no day that exists/],
  ['0 3 * * *', 'Mars/Phobos', /^timeZone Mars\/Phobos is not known: use a name such as Europe\/Berlin/],
])('what the schema lets through and is wrong all the same is told: %s in %s', (expression, timeZone, problem) => {
  expect(nextOf(expression, timeZone, '2026-11-30T22:50:00Z')).toMatch(problem);
  expect(dbBackupSpec.shape.schedule.safeParse(expression).success).toBe(true);
});

test.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '0 24 * * *',
  '0 0 0 * *',
  '0 0 * 13 *',
  '0 0 * * 8',
  '@never',
  '0 0 * * MONDAY',
  '*/0 * * * *',
  '0  3,* x * *',
])('the schema refuses %j', (expression) => {
  expect(dbBackupSpec.shape.schedule.safeParse(expression).success).toBe(false);
});
