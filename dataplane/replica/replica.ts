import type { ReplicaSetId } from '../../contract/names.ts';
import type { Pod } from '../fabric/pod.ts';
import type { ReplicaErrorCode } from './replica-error.ts';
import type { StateMachine } from './state-machine.ts';

export { ReplicaError } from './replica-error.ts';
export type { ReplicaErrorCode } from './replica-error.ts';

/** One member of a replica set, as the service on top of it sees it. */
export interface Replica {
  readonly leading: boolean;
  /** Highest term seen in the log. */
  readonly term: number;
  /** Sequence of the last entry in the local store. */
  readonly applied: number;
  /**
   * What `propose` would refuse an operation of this size with at this moment, or null. Synchronous, so that a
   * primary can ask before it adds the operation to its speculative state.
   */
  refusal(bytes: number): ReplicaErrorCode | null;
  /**
   * Appends one operation. The order of calls is the order in the log: an accepted operation is never dropped while a
   * later one goes through. Resolves with the entry's sequence once it is in the log AND applied locally.
   * Rejects with ReplicaError: `not-primary`, `overloaded`, `too-large` (what {@link refusal} says at the time of the
   * call) and `log-full` (later: the machine then gets `follow()` and `lead(term)`) mean surely not executed;
   * `unknown-outcome` means cannot tell.
   */
  propose(operation: Uint8Array): Promise<number>;
  /** True while reads of local state are linearizable without asking the log. */
  readonly hasLease: boolean;
  /** Resolves when a read of local state that starts now is linearizable; rejects with `not-primary` or `unknown-outcome`. */
  readBarrier(): Promise<void>;
  /** Calls the listener at each change of role or term; answers the function that ends it. */
  onRole(listener: (leading: boolean, term: number) => void): () => void;
}

export interface ReplicaOptions {
  readonly pod: Pod;
  readonly set: ReplicaSetId;
  readonly machine: StateMachine;
}

/** Starts a member: opens the log, catches up in the background, answers the operator. Resolves once it is running. */
export function startReplica(_options: ReplicaOptions): Promise<Replica> {
  return Promise.reject(new Error('not yet'));
}
