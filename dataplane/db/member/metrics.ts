import { Gauge } from 'prom-client';
import type { Pod } from '../../fabric/pod.ts';
import type { Store } from '../store/store.ts';
import type { Recovery } from '../two-phase/recovery.ts';
import type { Executor } from './executor.ts';

export interface Measured {
  readonly executor: Pick<Executor, 'load'>;
  readonly recovery: Pick<Recovery, 'open'>;
  readonly store: Pick<Store, 'position'>;
}

/** Figures of a member at /metrics, beside those of its replica (`replica/replica-metrics.ts`). */
export const exportMemberMetrics = (pod: Pod, { executor, recovery, store }: Measured): void => {
  const registers = [pod.metrics];
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    void new Gauge({ name, help, registers, collect });
  };
  gauge('quartet_db_operations_in_flight', 'Operations that are proposed and not final.', () => executor.load.inFlight);
  gauge('quartet_db_requests_parked', 'Requests that wait for a lock.', () => executor.load.parked);
  gauge('quartet_db_keys_locked', 'Keys that transactions over several shards hold.', () => executor.load.locked);
  gauge(
    'quartet_db_transactions_open',
    'Transactions over several shards that are not over here.',
    () => recovery.open,
  );
  gauge('quartet_db_log_time_seconds', 'Log time of the store, seconds since 1970.', () =>
    Math.round((store.position?.time ?? 0) / 1000),
  );
};
