import { foreignEvents, foreignRetryMs } from '../foreign.ts';
import { dbBackups, type DbBackup } from '../kinds.ts';
import type { Operation } from '../operation.ts';
import { mergeConditions } from '../runtime/conditions.ts';
import { networkPolicies, pods, type Pod } from '../runtime/builtin.ts';
import type { ReconcileContext } from '../runtime/controller.ts';
import type { KubeObject, ObjectKey } from '../runtime/object.ts';
import { done, requeueAfter, type Outcome } from '../runtime/outcome.ts';
import { planBackup, type BackupObserved, type BackupPlan } from './plan.ts';
import { backupPod, podName } from './pod.ts';
import { backupPolicy } from './policy.ts';
import { runOf } from './run.ts';

/** Reconciles DBBackups: begins runs as pods, and tells what they came to. */
export class DbBackupReconciler {
  readonly #operation: Operation;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    const backup = this.#operation.caches.dbBackups.get(key);
    // Pods and policy belong to the resource, and go with it.
    if (backup === undefined || backup.metadata.deletionTimestamp !== undefined) return done;
    const foreign: string[] = [];
    await this.#keepPolicy(backup, foreign, context);
    const observed = await this.#observe(backup, context);
    const first = planBackup({ ...observed, foreign });
    const active = first.start === null ? undefined : await this.#start(backup, first.start, foreign, context);
    const plan = foreign.length === 0 ? first : planBackup({ ...observed, foreign });
    for (const { pod, force } of plan.surplus) await this.#remove(backup, pod, force, context);
    await this.#tell(backup, plan, active, context);
    if (foreign.length > 0) return requeueAfter(foreignRetryMs);
    return plan.requeueAfterMs === undefined ? done : requeueAfter(plan.requeueAfterMs);
  }

  async #observe(backup: DbBackup, { now, writer }: ReconcileContext): Promise<Omit<BackupObserved, 'foreign'>> {
    const { caches } = this.#operation;
    const { uid = '', namespace = '' } = backup.metadata;
    const found = [...caches.pods.ownedBy(uid)];
    const active = backup.status?.active;
    // Another operator may have made it a moment ago: that it is gone is believed of the server alone.
    if (active !== undefined && !found.some(({ metadata }) => metadata.name === active)) {
      const live = await writer.read(pods, { namespace, name: active });
      if (live?.metadata.ownerReferences?.some((owner) => owner.uid === uid)) found.push(live);
    }
    return {
      backup,
      runs: found.map(runOf),
      databaseExists: caches.dbShards.list(namespace).some(({ spec }) => spec.database === backup.spec.database),
      now: now(),
    };
  }

  async #keepPolicy(backup: DbBackup, foreign: string[], { writer }: ReconcileContext): Promise<void> {
    const desired = backupPolicy(backup, this.#operation.settings);
    if (desired !== null) {
      const { result } = await writer.apply(networkPolicies, { desired, owner: backup });
      if (result === 'foreign') foreign.push(`NetworkPolicy ${desired.metadata.name}`);
      return;
    }
    for (const policy of this.#operation.caches.networkPolicies.ownedBy(backup.metadata.uid ?? '')) {
      await writer.remove(networkPolicies, policy);
    }
  }

  /** Makes the pod of a run, and answers its name; undefined when another pod has that name. */
  async #start(
    backup: DbBackup,
    run: number,
    foreign: string[],
    { writer }: ReconcileContext,
  ): Promise<string | undefined> {
    const name = podName(backup.metadata.name, run);
    const desired = backupPod(backup, run, this.#operation.settings);
    const { result } = await writer.apply(pods, { desired, owner: backup });
    if (result !== 'foreign') return name;
    foreign.push(`Pod ${name}`);
    return undefined;
  }

  async #remove(backup: DbBackup, name: string, force: boolean, { writer }: ReconcileContext): Promise<void> {
    const { namespace = '' } = backup.metadata;
    const pod: Pod | undefined = this.#operation.caches.pods.get({ namespace, name });
    if (pod !== undefined) await writer.remove(pods, pod as KubeObject, force ? { gracePeriodSeconds: 0 } : {});
  }

  /** Events go out when the status could be written, so each is told once. */
  async #tell(
    backup: DbBackup,
    plan: BackupPlan,
    active: string | undefined,
    { writer, events, now }: ReconcileContext,
  ): Promise<void> {
    const stamp = { now: now(), generation: backup.metadata.generation };
    const conditions = mergeConditions(backup.status?.conditions as never, plan.conditions, stamp);
    const status = { ...plan.status, ...(active !== undefined && { active }), conditions };
    await writer.status(dbBackups, backup, status as never);
    for (const event of [...plan.events, ...foreignEvents(plan.conditions)]) events.record(backup, event);
  }
}
