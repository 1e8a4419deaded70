import type { FaultName } from '../nemesis/faults.ts';

/** A piece of source and what stands there instead. */
export interface Replacement {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A defect that the fault test has to find. */
export interface Mutation {
  readonly name: string;
  readonly replacements: readonly Replacement[];
  /** Faults that bring it to light. */
  readonly faults: readonly FaultName[];
}

/**
 * Every one of these was right once and is what keeps the promises of `dataplane/replica/README.md`, the last ones those
 * of `docs/decisions/0014-split.md`.
 */
export const mutations: readonly Mutation[] = [
  { name: 'none: must stay good', replacements: [], faults: ['usurp', 'rival', 'kill', 'cut', 'pause', 'split-kill'] },
  {
    name: 'the TERM check is skipped: entries of older terms count, a deposed primary goes on',
    faults: ['usurp', 'rival', 'pause'],
    replacements: [
      {
        file: 'dataplane/replica/history.ts',
        from: "  if (entry.kind !== 'term' && entry.term !== history.term) return { kind: 'void', reason: 'older-term' };\n",
        to: '',
      },
      {
        file: 'dataplane/replica/leadership.ts',
        from: "    if (this.#leading && verdict.kind === 'term') this.#lose();\n",
        to: '    void verdict;\n',
      },
      {
        file: 'dataplane/replica/leadership.ts',
        from: '    if (this.#commit.active) {\n      this.#commit.stop(true);',
        to: '    if (Math.random() < 0) {\n      this.#commit.stop(true);',
      },
    ],
  },
  {
    name: 'writes are acknowledged before the append',
    faults: ['kill', 'cut', 'usurp', 'kill-log-leader', 'kill-shard'],
    replacements: [
      {
        file: 'dataplane/replica/group-commit.ts',
        from: '    this.#window.push(flight);\n',
        to: '    this.#window.push(flight);\n    resolveAll(flight, flight.seq);\n',
      },
    ],
  },
  {
    name: 'a new primary does not wait for the lease of the old one',
    faults: ['usurp'],
    replacements: [
      {
        file: 'dataplane/replica/lease.ts',
        from: '    : predecessor.lastSeenAt + leaseMs * driftFactor;',
        to: '    : predecessor.lastSeenAt * 0 * driftFactor;',
      },
    ],
  },
  {
    name: 'a new shard opens before it has taken all that was written before the hand-over',
    faults: ['split'],
    replacements: [
      {
        file: 'dataplane/db/split/intake.ts',
        from: '    if (page.position.seq >= given.seq) await this.#open(',
        to: '    await this.#open(',
      },
    ],
  },
  {
    name: 'a shard opens with the keys of its neighbour before it has taken all that was written before the hand-over',
    faults: ['merge'],
    replacements: [
      {
        file: 'dataplane/db/split/intake.ts',
        from: '    if (page.position.seq >= given.seq) await this.#open(',
        to: '    if (intake.merge || page.position.seq >= given.seq) await this.#open(',
      },
    ],
  },
  {
    name: 'who asks for a range believes that a shard has what is on its way to it',
    faults: ['merge'],
    replacements: [
      {
        file: 'dataplane/db/gateway/shard-view.ts',
        from: '  return taker ? claim : {',
        to: '  return taken ? { ...claim, heldIn: taken.epoch } : taker ? claim : {',
      },
    ],
  },
];
