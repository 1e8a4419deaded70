import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { DbBackup } from '../kinds.ts';
import type { Store } from '../runtime/store.ts';
import { measureBackups } from './measures.ts';

const backup = (name: string, status: object): DbBackup =>
  ({
    metadata: { name, namespace: 'shop', creationTimestamp: new Date(Date.now() - 90_000).toISOString() },
    status,
  }) as DbBackup;

test('metrics are those of the backups that there are when they are read', async () => {
  const held = [
    backup('late', { failures: 3, conditions: [{ type: 'BackedUp', reason: 'Overdue' }] }),
    backup('fine', { failures: 0, lastSuccessTime: new Date(Date.now() - 5_000).toISOString() }),
  ];
  const registry = new Registry();
  measureBackups(registry, { list: () => held } as unknown as Store<DbBackup>);
  const valueOf = async (metric: string, name: string): Promise<number | undefined> => {
    const line = new RegExp(`^${metric}\\{backup_namespace="shop",backup="${name}"\\} (\\S+)$`, 'm');
    const found = line.exec(await registry.metrics())?.[1];
    return found === undefined ? undefined : Math.round(Number(found));
  };
  expect(await valueOf('quartet_backup_age_seconds', 'late')).toBe(90);
  expect(await valueOf('quartet_backup_age_seconds', 'fine')).toBe(5);
  expect(await valueOf('quartet_backup_overdue', 'late')).toBe(1);
  expect(await valueOf('quartet_backup_overdue', 'fine')).toBe(0);
  expect(await valueOf('quartet_backup_failures', 'late')).toBe(3);
  held.length = 1;
  expect(await valueOf('quartet_backup_overdue', 'fine')).toBeUndefined();
});
