import { z } from 'zod';

/**
 * What one run of the program of backups came to: it writes it into the file that `QUARTET_REPORT` names, which in a pod
 * is the termination message, so that the operator finds it in the pod's status. Kubernetes cuts it off at 4,096 bytes.
 */
const moment = z.int().nonnegative();

export const backupReport = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** `namespace/database/id` of the backup that was made or gone on with. */
    backup: z.string().max(300),
    /** Written by this run. */
    bytes: z.int().nonnegative(),
    /** Moments that can be restored from what is kept, milliseconds since 1970: the first of the oldest backup, the last of the newest. */
    from: moment,
    until: moment,
  }),
  z.object({ ok: z.literal(false), message: z.string().max(2_000) }),
]);
export type BackupReport = z.infer<typeof backupReport>;

/** The report as a line; a message that is too long is cut. */
export const encodeBackupReport = (report: BackupReport): string =>
  JSON.stringify(report.ok ? report : { ...report, message: report.message.slice(0, 1_000) });

/** The report in a termination message; null: there is none. */
export const decodeBackupReport = (text: string): BackupReport | null => {
  try {
    return backupReport.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
};
