import { decodeBackupReport, type BackupReport } from '../../contract/backup-report.ts';
import type { Pod } from '../runtime/builtin.ts';
import type { KubeObject } from '../runtime/object.ts';

/** How a run ended. */
export type RunEnd =
  | { readonly ok: true; /** Null: it did not say. */ readonly report: Extract<BackupReport, { ok: true }> | null }
  | { readonly ok: false; readonly message: string };

/** One run of a backup, as its pod shows it. */
export interface Run {
  readonly pod: string;
  /** Runs of a resource are numbered. */
  readonly number: number;
  /** When its pod was made, milliseconds since 1970. */
  readonly since: number;
  /** Null: it is at work, or will be. */
  readonly end: RunEnd | null;
  /** Value of {@link nowAnnotation} that it answers; undefined: nobody asked. */
  readonly request: string | undefined;
  /** Why it does not work yet; empty: it does. */
  readonly waits: string;
  /** When its pod should have gone; null: it is not to be deleted. */
  readonly goneBy: number | null;
}

/** Another value than before, on a DBBackup, asks for a run at once; the run's pod has it, too. */
export const nowAnnotation = 'quartet.dev/backup-now';
/** What a person asks for by the annotation; undefined: nothing. */
export const requestOf = ({ annotations }: KubeObject['metadata']): string | undefined =>
  annotations?.[nowAnnotation]?.slice(0, 256);

/** Number of a run, on its pod. */
export const runAnnotation = 'quartet.dev/run';

type Status = NonNullable<Pod['status']>;

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';

const stateOf = (status: Status | undefined) => status?.containerStatuses?.[0]?.state;

/** What the program left behind: its report, or the end of its log. */
const messageOf = (status: Status): string => stateOf(status)?.terminated?.message ?? '';

const tooLate = 'not done within the deadline, and ended: allow more time, or look at what is slow';

/** What Kubernetes says of a pod that failed. */
const kubernetesSays = (status: Status): string => {
  if (status.message !== undefined && status.message !== '') return status.message;
  const ended = stateOf(status)?.terminated;
  const code = ended === undefined ? '' : ` with code ${ended.exitCode} (${ended.reason ?? 'no reason'})`;
  return `the pod ended${code} and did not say why: look at its log`;
};

/** Why a pod failed: what the program said, else what Kubernetes says. */
const failureOf = (status: Status): string => {
  const said = messageOf(status);
  const report = decodeBackupReport(said);
  if (report?.ok === false) return report.message;
  if (status.reason === 'DeadlineExceeded') return tooLate;
  return lastLine(said) || kubernetesSays(status);
};

const endOf = (status: Status | undefined): RunEnd | null => {
  if (status?.phase === 'Failed') return { ok: false, message: failureOf(status) };
  if (status?.phase !== 'Succeeded') return null;
  const report = decodeBackupReport(messageOf(status));
  return { ok: true, report: report?.ok === true ? report : null };
};

/** Reasons that say no more than that it takes its time. */
const quiet: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** What its container waits for, if that is worth to be told. */
const containerWait = (status: Status | undefined): string => {
  const { reason = '', message = '' } = stateOf(status)?.waiting ?? {};
  return quiet.has(reason) ? '' : message || reason;
};

/** Why no node takes it. */
const schedulerWait = (status: Status | undefined): string => {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' ? (scheduled.message ?? '') : '';
};

/** What a pod tells of its run. */
export const runOf = ({ metadata, status }: Pod): Run => ({
  pod: metadata.name,
  number: Number(metadata.annotations?.[runAnnotation] ?? 0),
  since: Date.parse(metadata.creationTimestamp ?? '') || 0,
  request: requestOf(metadata),
  end: endOf(status),
  waits: containerWait(status) || schedulerWait(status),
  goneBy: metadata.deletionTimestamp === undefined ? null : Date.parse(metadata.deletionTimestamp),
});
