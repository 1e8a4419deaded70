import { Gauge, type Registry } from 'prom-client';
import type { DbBackup } from '../kinds.ts';
import type { Store } from '../runtime/store.ts';

/** Not `namespace` and `pod`: those are the operator's own when its metrics are read. */
const labelNames = ['backup_namespace', 'backup'] as const;

/** Seconds since a backup was done last, or since its resource was made when none was. Pure. */
export const ageSeconds = ({ metadata, status }: DbBackup, now: number): number => {
  const since = Date.parse(status?.lastSuccessTime ?? metadata.creationTimestamp ?? '');
  return Number.isNaN(since) ? 0 : Math.max(0, (now - since) / 1000);
};

/** Whether the status calls it overdue. Pure. */
export const isOverdue = ({ status }: DbBackup): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'BackedUp' && reason === 'Overdue') ?? false;

/** Metrics of the backups that there are, read when they are asked for. */
export const measureBackups = (registry: Registry, backups: Store<DbBackup>): void => {
  const gauge = (name: string, help: string, value: (backup: DbBackup) => number): void => {
    const one = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        one.reset();
        for (const backup of backups.list()) {
          const { namespace = '', name: resource } = backup.metadata;
          one.set({ backup_namespace: namespace, backup: resource }, value(backup));
        }
      },
    });
  };
  gauge('quartet_backup_age_seconds', 'Time since a backup was done last, or since its resource was made', (backup) =>
    ageSeconds(backup, Date.now()),
  );
  gauge('quartet_backup_overdue', 'Whether two times of the schedule passed without a backup', (backup) =>
    Number(isOverdue(backup)),
  );
  gauge('quartet_backup_failures', 'Runs that failed since the last success', ({ status }) => status?.failures ?? 0);
};
