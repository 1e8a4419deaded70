import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Flight } from './flight.ts';
import type { Member } from './member.ts';

/** Seconds. */
const buckets = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 5, 10];

/** What a replica counts and measures, under `quartet_log_` and `quartet_replica_`. */
export class ReplicaMetrics {
  readonly #commit: Histogram;
  readonly #append: Histogram;
  readonly #apply: Histogram;
  readonly #batch: Histogram;
  readonly #operations: Counter;
  readonly #elections: Counter;
  readonly #rebuilds: Counter;

  /** `snapshotAgeMs`: since a peer last gave a whole snapshot to this replica as the primary; null: never. */
  constructor(registry: Registry, member: () => Member, snapshotAgeMs: () => number | null) {
    const registers = [registry];
    const duration = (name: string, help: string): Histogram => new Histogram({ name, help, buckets, registers });
    this.#commit = duration(
      'quartet_log_commit_seconds',
      'From sending an entry until it is in the log and applied here',
    );
    this.#append = duration('quartet_log_append_seconds', 'From sending an entry until it is known to be in the log');
    this.#apply = duration(
      'quartet_log_apply_seconds',
      'From knowing an own entry in the log until it is applied here',
    );
    this.#batch = new Histogram({
      name: 'quartet_log_entry_operations',
      help: 'Operations in one entry',
      buckets: [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096],
      registers,
    });
    this.#operations = new Counter({ name: 'quartet_log_operations_total', help: 'Operations committed', registers });
    this.#elections = new Counter({
      name: 'quartet_replica_promotions_total',
      help: 'Times that this replica became primary',
      registers,
    });
    this.#rebuilds = new Counter({
      name: 'quartet_replica_rebuilds_total',
      help: 'Times that this replica was restored from a peer',
      registers,
    });
    const gauge = (name: string, help: string, value: (member: Member) => number): void => {
      const collect = function (this: Gauge): void {
        this.set(value(member()));
      };
      registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
    };
    gauge('quartet_replica_term', 'Highest term seen', (it) => it.term);
    gauge('quartet_replica_leading', '1 while primary', (it) => Number(it.leading));
    gauge('quartet_replica_applied', 'Sequence of the last entry in the store', (it) => it.applied);
    gauge('quartet_replica_lag_entries', 'Entries known to be in the log and not applied', (it) => it.lag);
    gauge('quartet_replica_waiting', 'Operations that wait to be written', (it) => it.waiting);
    gauge(
      'quartet_replica_snapshot_age_seconds',
      'Since a peer proved to this primary that it could give a whole snapshot; NaN: never yet',
      () => (snapshotAgeMs() ?? Number.NaN) / 1000,
    );
  }

  /** `seenAt`: when it was known to be in the log; monotonic milliseconds. */
  committed(flight: Flight, seenAt: number, now: number): void {
    this.#commit.observe((now - flight.sentAt) / 1000);
    this.#append.observe((seenAt - flight.sentAt) / 1000);
    this.#apply.observe((now - seenAt) / 1000);
    this.#batch.observe(flight.entry.operations.length);
    this.#operations.inc(flight.entry.operations.length);
  }

  promoted(): void {
    this.#elections.inc();
  }

  rebuilt(): void {
    this.#rebuilds.inc();
  }
}
