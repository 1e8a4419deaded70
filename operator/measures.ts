import { Counter, Histogram, type Registry } from 'prom-client';

/** The operator's own metrics, beside those of its runtime. */
export interface Measures {
  readonly elections: Counter<'kind' | 'outcome'>;
  readonly electionSeconds: Histogram<'kind'>;
  readonly replicas: Counter<'kind' | 'change'>;
}

export const createMeasures = (registry: Registry): Measures => ({
  elections: new Counter({
    name: 'quartet_elections_total',
    help: 'Promotions that were asked for, by outcome',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  }),
  electionSeconds: new Histogram({
    name: 'quartet_election_seconds',
    help: 'Time from the promotion command to its answer',
    labelNames: ['kind'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
    registers: [registry],
  }),
  replicas: new Counter({
    name: 'quartet_replica_changes_total',
    help: 'Replicas made and forgotten, by reason',
    labelNames: ['kind', 'change'],
    registers: [registry],
  }),
});
