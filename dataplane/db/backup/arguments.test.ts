import { expect, test } from 'vitest';
import { readArguments } from './arguments.ts';
import { BackupError } from './backup-error.ts';

const read = (line: string): unknown => {
  try {
    return readArguments(line.split(' '));
  } catch (error) {
    return error instanceof BackupError ? error.code : error;
  }
};

test('a backup', () => {
  expect(read('backup app --to s3://b/p --endpoint http://h:1 --keep 3 --namespace ns')).toEqual({
    command: 'backup',
    namespace: 'ns',
    database: 'app',
    place: 's3://b/p',
    endpoint: 'http://h:1',
    keep: 3,
    renewAfterMs: null,
    deadlineMs: null,
  });
  expect(read('backup my_app --to d --renew-after 23h --deadline 90s')).toMatchObject({
    database: 'my_app',
    renewAfterMs: 23 * 3_600_000,
    deadlineMs: 90_000,
  });
});

test('a restore, and a moment to the end of its second', () => {
  expect(read('restore --from dir --to copy --at 2026-11-24T12:00:05Z')).toMatchObject({
    namespace: 'default',
    database: null,
    at: Date.UTC(2026, 10, 24, 12, 0, 5, 999),
    to: 'copy',
  });
  expect(read('restore --from dir --check --at 2026-11-24T13:00:05.250+01:00')).toMatchObject({
    at: Date.UTC(2026, 10, 24, 12, 0, 5, 250),
    to: null,
  });
});

test.each([
  'backup',
  'backup app',
  'backup app other --to d',
  'backup App --to d',
  'backup ../x --to d',
  'backup app --to d --keep 0',
  'backup app --to d --keep many',
  'backup app --to d --deadline 0s',
  'backup app --to d --renew-after 1d',
  'backup app --to d --namespace my_space',
  'backup app --to d --at 2026-11-24T12:00:05Z',
  'backup app --to d --check',
  'backup app --nonsense',
  'restore --to copy',
  'restore --from d',
  'restore --from d --to copy --check',
  'restore --from d --to copy --at yesterday',
  'restore --from d --to copy --at 2026-13-24T12:00:05Z',
  'restore --from d --to copy --at 2026-11-24',
  'restore --from d --to copy --keep 2',
  'restore --from d --to copy --deadline 1h',
  'restore other --from d --to copy',
  'list',
])('%j is refused with the usage', (line) => {
  expect(read(line)).toBe('invalid');
});
