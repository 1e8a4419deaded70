import { Fifo } from '../fabric/fifo.ts';
import { operationOverhead } from '../log/entry.ts';
import { ReplicaError, type ReplicaErrorCode } from './replica-error.ts';

/** Someone who waits for an operation, or for a barrier (no operation). */
export interface Proposal {
  readonly operation: Uint8Array | null;
  /** Monotonic, when it was accepted. */
  readonly since: number;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: ReplicaError) => void;
  /** The caller has its answer; the operation itself stays where it is. */
  answered: boolean;
}

/** Most proposals and bytes that may wait to be written into an entry. */
export const queueLimit = { proposals: 65_536, bytes: 64 * 1024 * 1024 } as const;

export const sizeOf = (proposal: Proposal): number =>
  proposal.operation === null ? 0 : proposal.operation.length + operationOverhead;

/** Answers a caller with an error, once. */
export function refuse(proposal: Proposal, code: ReplicaErrorCode, message: string): void {
  if (proposal.answered) return;
  proposal.answered = true;
  proposal.reject(new ReplicaError(code, message));
}

/** Proposals in the order in which they came, taken from the front in groups. */
export class ProposalQueue {
  readonly #items = new Fifo<Proposal>();
  #bytes = 0;

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.length >= queueLimit.proposals || this.#bytes >= queueLimit.bytes;
  }

  push(proposal: Proposal): void {
    this.#items.push(proposal);
    this.#bytes += sizeOf(proposal);
  }

  /** Puts proposals back in front of all others. */
  putBack(proposals: readonly Proposal[]): void {
    this.#items.putBack(proposals);
    for (const proposal of proposals) this.#bytes += sizeOf(proposal);
  }

  /** The longest prefix whose operations fit into `maxBytes`; at least one if there is one. */
  take(maxBytes: number): Proposal[] {
    const taken: Proposal[] = [];
    let bytes = 0;
    for (let next = this.#items.at(0); next !== undefined; next = this.#items.at(0)) {
      if (taken.length > 0 && bytes + sizeOf(next) > maxBytes) break;
      bytes += sizeOf(next);
      taken.push(next);
      this.#items.shift();
    }
    this.#bytes -= bytes;
    return taken;
  }

  takeAll(): Proposal[] {
    return this.take(Number.POSITIVE_INFINITY);
  }

  /** Those still unanswered that were accepted before `since`, oldest first. */
  *olderThan(since: number): Iterable<Proposal> {
    for (let at = 0; at < this.#items.length; at++) {
      const proposal = this.#items.at(at);
      if (proposal === undefined || proposal.since >= since) return;
      if (!proposal.answered) yield proposal;
    }
  }
}
