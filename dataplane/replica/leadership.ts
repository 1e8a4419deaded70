import type { Judged } from './applier.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { Lease, leaseMs, withholdUntil } from './lease.ts';
import { ReplicaError } from './replica-error.ts';
import type { StateMachine } from './state-machine.ts';

export interface LeadershipOptions extends GroupCommitOptions {
  readonly machine: Pick<StateMachine, 'lead' | 'follow'>;
  /** Leads now, or leads no more. */
  readonly onChange: () => void;
}

/** Time that in-flight operations and the resignation get when a primary steps down. */
const stepDownMs = 3_000;
const pollMs = 5;
/** A lease that is read under is renewed when this much of it is left. */
const renewBelowMs = leaseMs / 2;

/** What one replica does while, and because, a term is its own. Begins and ends by what is in the log. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #commit: GroupCommit;
  readonly #lease = new Lease();
  /** TERM entries that this process appended or tried to: id -> when sent (monotonic). */
  readonly #candidacies = new Map<string, number>();
  #leading = false;
  #term = 0;
  #withholdUntil = Number.NEGATIVE_INFINITY;
  #lastRead = Number.NEGATIVE_INFINITY;
  #steppingDown: Promise<void> | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#commit = new GroupCommit({
      ...options,
      onCommitted: (flight, judged) => {
        if (flight.entry.kind === 'data' && this.#leading) this.#lease.extend(flight.sentAt);
        options.onCommitted(flight, judged);
      },
      onFull: (message) => {
        options.machine.follow();
        options.machine.lead(this.#term);
        options.onFull(message);
      },
    });
  }

  get leading(): boolean {
    return this.#leading;
  }

  get waiting(): number {
    return this.#commit.waiting;
  }

  get commit(): Pick<GroupCommit, 'refusal' | 'add' | 'oldestMs'> {
    return this.#commit;
  }

  /** Whether the lease holds and earlier ones have run out. Asking keeps the lease alive. */
  mayRead(): boolean {
    const now = this.#options.clock.now();
    this.#lastRead = now;
    return this.#leading && now >= this.#withholdUntil && this.#lease.holds(now);
  }

  /** A read of the local store that starts when this resolves is linearizable. */
  async readBarrier(): Promise<void> {
    if (this.mayRead()) return;
    const refusal = this.#commit.refusal(0);
    if (refusal !== null) throw new ReplicaError(refusal, 'no read barrier from this replica now');
    const term = this.#term;
    await this.#commit.add(null);
    // The store may hold entries of the next primary by now, which that one does not answer for yet.
    if (this.#movedOn(term)) throw new ReplicaError('not-primary', 'another primary took over');
  }

  /** This TERM entry is about to be appended. */
  stand(id: string): void {
    this.#candidacies.set(id, this.#options.clock.now());
  }

  judged({ verdict }: Judged): void {
    if (this.#leading && verdict.kind === 'term') this.#lose();
  }

  #lose(): void {
    this.#leading = false;
    this.#lease.drop();
    this.#commit.halt();
    this.#options.onChange();
  }

  /** After the entry is applied. `term`: the highest term of which this replica knows. */
  applied(judged: Judged, term: number): void {
    if (judged.verdict.kind !== 'term') return this.#commit.applied(judged);
    if (this.#commit.active) {
      this.#commit.stop(true);
      this.#options.machine.follow();
    }
    const sentAt = this.#candidacies.get(judged.id);
    this.#candidacies.delete(judged.id);
    if (sentAt !== undefined && judged.verdict.entry.term === term) this.#begin(judged, sentAt);
  }

  #begin(judged: Judged, sentAt: number): void {
    const { before, beforeSeenAt } = judged;
    this.#term = before.term;
    if (judged.verdict.kind === 'term') this.#term = judged.verdict.entry.term;
    this.#withholdUntil = withholdUntil({
      term: before.term,
      resigned: before.resigned,
      lastSeenAt: beforeSeenAt,
    });
    this.#lease.extend(sentAt);
    this.#leading = true;
    this.#candidacies.clear();
    this.#commit.start(this.#term, this.#withholdUntil);
    this.#options.machine.lead(this.#term);
    this.#options.onChange();
  }

  /** Orderly: settles what is under way, gives the lease up in the log, follows. Asked again meanwhile it is the same one. */
  stepDown(): Promise<void> {
    this.#steppingDown ??= this.#giveUp().finally(() => (this.#steppingDown = null));
    return this.#steppingDown;
  }

  async #giveUp(): Promise<void> {
    if (!this.#leading) return;
    const term = this.#term;
    this.#commit.close();
    await this.#until(() => this.#commit.idle || this.#movedOn(term));
    if (this.#movedOn(term)) return;
    this.#leading = false;
    this.#lease.drop();
    // A resignation says that nobody holds a lease any more: it must not be written while an earlier one may run.
    if (this.#commit.idle && this.#options.clock.now() >= this.#withholdUntil) {
      this.#commit.resign();
      await this.#until(() => this.#commit.idle);
    }
    this.abandon();
  }

  #movedOn(term: number): boolean {
    return !this.#leading || this.#term !== term;
  }

  async #until(condition: () => boolean): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + stepDownMs;
    while (!condition() && clock.now() < deadline) await clock.sleep(pollMs);
  }

  /** At once: what is under way may or may not be executed. */
  abandon(): void {
    const led = this.#leading || this.#commit.active;
    this.#leading = false;
    this.#lease.drop();
    this.#commit.stop(false);
    if (!led) return;
    this.#options.machine.follow();
    this.#options.onChange();
  }

  /** Now and then: answers callers that wait too long, keeps a lease alive while it is read under. */
  tick(): void {
    this.#commit.sweep();
    const now = this.#options.clock.now();
    const wanted = this.#leading && now - this.#lastRead < leaseMs && this.#lease.left(now) < renewBelowMs;
    if (!wanted || !this.#commit.idle || this.#commit.refusal(0) !== null) return;
    this.#commit.add(null).catch(() => {
      // The next read finds out by itself.
    });
  }
}
