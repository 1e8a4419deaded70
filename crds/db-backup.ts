import { z } from 'zod';
import { rules } from './cel.ts';
import { count, statusBase } from './conditions.ts';
import { cron, timeZone } from './cron.ts';
import { duration } from './duration.ts';
import type { Kind } from './kind.ts';
import { logicalName } from './replica-set.ts';

/** Begins with a letter or a digit in each of its parts, so none climbs out of its folder. */
const folder = (description: string) =>
  z
    .string()
    .max(200)
    .regex(/^([A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*)?$/)
    .default('')
    .describe(description);

const objectName = (description: string) =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .describe(description);

const s3 = z
  .object({
    endpoint: z
      .string()
      .max(300)
      .regex(/^https?:\/\/[a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]{1,5})?$/)
      .optional()
      .describe(
        "Address of a server that speaks S3's protocol, such as https://storage.example.com. Left out: Amazon's.",
      ),
    bucket: z
      .string()
      .max(63)
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
      .describe('Bucket, which has to exist.'),
    prefix: folder('Where in the bucket; empty: at its root.'),
    region: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .default('us-east-1')
      .describe('Region of the bucket.'),
    credentialsSecret: objectName(
      'Secret of this namespace with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if there is one.',
    ),
  })
  .optional()
  .describe('A bucket.');

const volume = z
  .object({
    claimName: objectName('PersistentVolumeClaim of this namespace. Pods of backups mount it for as long as they run.'),
    path: folder('Directory in the volume; empty: its root.'),
  })
  .optional()
  .describe('A volume.');

export const dbBackupSpec = z.object({
  database: logicalName('database').describe('Database of this namespace that is backed up, with all its shards.'),
  schedule: cron('schedule').describe(
    'When a backup is due: minute, hour, day of the month, month, day of the week, as in cron; or @hourly, @daily, @weekly, @monthly. A time that was missed is made up for once.',
  ),
  timeZone: timeZone('timeZone').default('Etc/UTC').describe('Time zone of the schedule, such as Europe/Berlin.'),
  keep: z
    .int()
    .min(1)
    .max(10_000)
    .default(7)
    .describe('Whole backups that stay. Older ones are removed after a new one was made, never before.'),
  renewAfter: duration('renewAfter', '1m', '8760h')
    .default('23h')
    .describe(
      'Age at which a backup is not gone on with: a new one is made. Until then runs add the log to it, so that every second in between can be restored.',
    ),
  destination: z
    .object({ s3, volume })
    .describe('Where backups go: a bucket or a volume.')
    .meta(
      rules({
        rule: 'has(self.s3) != has(self.volume)',
        message: 'destination is either an s3 or a volume',
      }),
    ),
  suspend: z.boolean().default(false).describe('No backup is due while this is true. Backups that were made stay.'),
  deadline: duration('deadline', '1m', '168h')
    .default('1h')
    .describe('A run that is not done within this time is ended, and tried again.'),
});
export type DbBackupSpec = z.output<typeof dbBackupSpec>;

const moment = (description: string) => z.string().optional().describe(description).meta({ format: 'date-time' });

export const dbBackupStatus = z.object({
  ...statusBase,
  active: z.string().max(253).optional().describe('Pod of the run that is at work.'),
  runs: count('Runs that have ended; it numbers their pods.'),
  failures: count('Runs that failed since the last success.'),
  lastAttemptTime: moment('When the last run began.'),
  lastFailureTime: moment('When a run failed last.'),
  lastFailureMessage: z.string().max(1000).optional().describe('Why it failed, and what to do.'),
  lastSuccessTime: moment('When a run was done last.'),
  nextTime: moment('When the next run begins: the next time of the schedule, or before it to try again.'),
  backup: z.string().max(300).optional().describe('Newest backup: its folder in the destination.'),
  restorableFrom: moment('First moment that can be restored: that of the oldest backup which was kept.'),
  restorableUntil: moment(
    'Last moment that can be restored. Between two backups there is a gap from the last run of the one to the next.',
  ),
  bytes: count('Bytes that the last run wrote.'),
  request: z
    .string()
    .max(256)
    .optional()
    .describe('Value of the annotation quartet.dev/backup-now that was answered with a run.'),
});
export type DbBackupStatus = z.output<typeof dbBackupStatus>;

export const dbBackup = {
  kind: 'DBBackup',
  plural: 'dbbackups',
  singular: 'dbbackup',
  shortNames: ['dbb'],
  description:
    'Backs a database up by a schedule. Deleting it never deletes backups. The annotation quartet.dev/backup-now with another value than before asks for a run at once.',
  spec: dbBackupSpec,
  status: dbBackupStatus,
  columns: [
    { name: 'Database', type: 'string', jsonPath: '.spec.database' },
    { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule' },
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'BackedUp', type: 'string', jsonPath: ".status.conditions[?(@.type=='BackedUp')].status" },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='BackedUp')].reason" },
    { name: 'Last', type: 'date', jsonPath: '.status.lastSuccessTime' },
    { name: 'Until', type: 'string', jsonPath: '.status.restorableUntil', priority: 1 },
    { name: 'Next', type: 'string', jsonPath: '.status.nextTime', priority: 1 },
    { name: 'Bytes', type: 'integer', jsonPath: '.status.bytes', priority: 1 },
    { name: 'Suspended', type: 'boolean', jsonPath: '.spec.suspend', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Kind;
