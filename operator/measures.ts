import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { isEndOfMove, type MoveStatus } from '../crds/replica-set.ts';
import type { Rebalancer } from './rebalance/rebalancer.ts';

/** The operator's own metrics, beside those of its runtime. */
export interface Measures {
  readonly elections: Counter<'kind' | 'outcome'>;
  readonly electionSeconds: Histogram<'kind'>;
  readonly replicas: Counter<'kind' | 'change'>;
  /** Changes of a primary for balance. */
  readonly leadsForBalance: Counter<'kind'>;
  /** A move is over. */
  noteMove(kind: string, move: MoveStatus | undefined): void;
}

const outcomes = { Moved: 'moved', Refused: 'refused', GivenUp: 'given-up' } as const;

const countMoves = (registry: Registry): Measures['noteMove'] => {
  const moves = new Counter({
    name: 'quartet_moves_total',
    help: 'Moves of replicas that are over, by outcome and by who wanted them',
    labelNames: ['kind', 'outcome', 'wanted_by'],
    registers: [registry],
  });
  const bytes = new Counter({
    name: 'quartet_moved_bytes_total',
    help: 'Bytes of the stores of replicas that were moved',
    labelNames: ['kind', 'wanted_by'],
    registers: [registry],
  });
  return (kind, move) => {
    if (move === undefined || !isEndOfMove(move.phase)) return;
    const wanted_by = move.forBalance ? 'balance' : 'person';
    moves.inc({ kind, outcome: outcomes[move.phase], wanted_by });
    if (move.phase === 'Moved') bytes.inc({ kind, wanted_by }, move.bytes ?? 0);
  };
};

/** What balance is judged by. An operator that does not lead sees no sets, and shows none. */
const showLoads = (registry: Registry, rebalancer: Pick<Rebalancer, 'loads'>): void => {
  void new Gauge({
    name: 'quartet_node_load',
    help: 'What a node carries: replicas, primaries, bytes of stores, reads and writes a second',
    labelNames: ['node', 'of'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [node, load] of rebalancer.loads()) {
        for (const [of, amount] of Object.entries(load)) this.set({ node, of }, amount);
      }
    },
  });
};

export const createMeasures = (registry: Registry, rebalancer: Pick<Rebalancer, 'loads'>): Measures => {
  showLoads(registry, rebalancer);
  return { ...counters(registry), noteMove: countMoves(registry) };
};

const counters = (registry: Registry): Omit<Measures, 'noteMove'> => ({
  leadsForBalance: new Counter({
    name: 'quartet_primaries_balanced_total',
    help: 'Changes of a primary for a better balance',
    labelNames: ['kind'],
    registers: [registry],
  }),
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
