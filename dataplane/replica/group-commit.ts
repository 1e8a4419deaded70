import { maxEntryBytes } from '../../contract/streams.ts';
import { jittered, type Clock } from '../log/clock.ts';
import { encodeEntry, entryOverhead, operationOverhead, type Entry, type EntryKind } from '../log/entry.ts';
import type { AppendOutcome, ReplicatedLog } from '../log/replicated-log.ts';
import type { Applier, Judged } from './applier.ts';
import type { Flight } from './flight.ts';
import { ProposalQueue, refuse, type Proposal } from './proposal-queue.ts';
import type { ReplicaErrorCode } from './replica-error.ts';

/** Largest operation, bytes. */
export const maxOperationBytes = maxEntryBytes - entryOverhead - operationOverhead;
/** Entries that may be under way: sent and not applied yet. */
const maxInFlight = 4;
/** A second entry is only sent when this much waits: many small entries cost the log more than they save. */
const worthAnotherEntry = { proposals: 256, bytes: 128 * 1024 } as const;
/** One call of `append`; repeated as long as its outcome is open. */
const appendMs = 5_000;
const retryMs = 50;
/** A caller waits this long for its outcome, then hears that it is unknown. */
export const proposalTimeoutMs = 5_000;
/** When the oldest entry under way is older than this, nothing new is accepted. */
const stalledMs = 2_500;

export interface GroupCommitOptions {
  readonly log: Pick<ReplicatedLog, 'append'>;
  readonly clock: Clock;
  readonly writer: string;
  readonly applier: Pick<Applier, 'offer' | 'offerOwn' | 'history'>;
  /** An entry of the own term counts in the log: sent at (monotonic). */
  readonly onCommitted: (flight: Flight, judged: Judged) => void;
  /** The log refused for lack of space: all that waited was refused, speculation on it is void. */
  readonly onFull: (message: string) => void;
}

/**
 * A primary's way into the log: everything that waits goes into one entry, a few entries are under way at a time, each
 * naming the one before it. Whether an entry counts is learnt from the applier alone, which sees the log in its order;
 * an acknowledgement only brings the news sooner.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #queue = new ProposalQueue();
  /** Sent, not applied; in the order of the log. */
  #window: Flight[] = [];
  /** Null: not leading. */
  #term: number | null = null;
  /** Callers get no answer before this time. */
  #withholdUntil = Number.NEGATIVE_INFINITY;
  #withheld: { flight: Flight; seq: number; until: number }[] = [];
  /** Changes when the window is thrown away: appends of before no longer speak. */
  #generation = 0;
  #pumpDue = false;
  #closed = false;
  #halted = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#term !== null;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#window.length === 0;
  }

  start(term: number, withholdUntil: number): void {
    this.#term = term;
    this.#closed = false;
    this.#halted = false;
    this.#withholdUntil = withholdUntil;
  }

  /** Accepts nothing more. What is under way is settled by the entries that are applied. */
  close(): void {
    this.#closed = true;
  }

  /** Sends nothing more either: the next term is known to be in the log. */
  halt(): void {
    this.#closed = true;
    this.#halted = true;
  }

  refusal(bytes: number): ReplicaErrorCode | null {
    if (this.#term === null || this.#closed) return 'not-primary';
    if (bytes > maxOperationBytes) return 'too-large';
    return this.#queue.full || this.oldestMs > stalledMs ? 'overloaded' : null;
  }

  /** Age of the oldest entry under way, milliseconds; 0 when there is none. */
  get oldestMs(): number {
    const oldest = this.#window[0];
    return oldest === undefined ? 0 : this.#options.clock.now() - oldest.sentAt;
  }

  /** Accepts an operation, or null for a barrier: an entry that is sent after this call. */
  add(operation: Uint8Array | null): Promise<number> {
    return new Promise((resolve, reject) => {
      const since = this.#options.clock.now();
      this.#queue.push({ operation, since, resolve, reject, answered: false });
      if (this.#pumpDue) return;
      this.#pumpDue = true;
      // After the callbacks that are due now, so that what they propose goes along.
      setImmediate(() => this.#pump());
    });
  }

  /** Sends the entry by which the primary gives its term up. */
  resign(): void {
    this.#send('resign', []);
  }

  #pump(): void {
    this.#pumpDue = false;
    while (this.#term !== null && !this.#halted && this.#queue.length > 0 && this.#maySend()) {
      this.#send('data', this.#queue.take(maxEntryBytes - entryOverhead));
    }
  }

  #maySend(): boolean {
    if (this.#window.length === 0) return true;
    if (this.#window.length >= maxInFlight) return false;
    return this.#queue.length >= worthAnotherEntry.proposals || this.#queue.bytes >= worthAnotherEntry.bytes;
  }

  #send(kind: EntryKind, proposals: readonly Proposal[]): void {
    const { clock, applier, writer } = this.#options;
    const { seq, chain } = this.#window.at(-1) ?? { seq: applier.history.seq, chain: applier.history.chain };
    const operations: Uint8Array[] = [];
    for (const { operation } of proposals) if (operation !== null) operations.push(operation);
    const time = Math.max(clock.wall(), applier.history.time);
    const header = { kind, term: this.#term ?? 0, writer, time, previous: chain };
    const encoded = encodeEntry(header, operations);
    const entry: Entry = { ...header, id: encoded.id, operations };
    const flight: Flight = { seq: seq + 1, chain: encoded.id, encoded, entry, proposals, sentAt: clock.now() };
    this.#window.push(flight);
    void this.#append(flight, this.#generation);
  }

  async #append(flight: Flight, generation: number): Promise<void> {
    const { log, clock } = this.#options;
    while (generation === this.#generation) {
      const outcome = await log.append(flight.seq - 1, flight.encoded, appendMs);
      if (this.#finish(flight, outcome, generation)) return;
      await clock.sleep(jittered(clock, retryMs));
    }
  }

  /** Whether there is nothing more to do for this flight here. */
  #finish(flight: Flight, outcome: AppendOutcome, generation: number): boolean {
    const { applier } = this.#options;
    if (outcome.outcome === 'appended') {
      applier.offerOwn(outcome.seq, flight.entry);
      return true;
    }
    if (outcome.outcome === 'conflict') {
      applier.offer(outcome.found);
      return true;
    }
    const refused = outcome.outcome === 'full' && generation === this.#generation && this.#window[0] === flight;
    if (refused) this.#refuseAll('log-full', outcome.message);
    if (refused) this.#options.onFull(outcome.message);
    return refused;
  }

  /** Called for every entry of the log once it is applied, in order. */
  applied(judged: Judged): void {
    const flight = this.#window[0];
    if (flight === undefined || judged.seq < flight.seq) return;
    if (judged.id === flight.chain && judged.verdict.kind !== 'void') {
      this.#window.shift();
      this.#options.onCommitted(flight, judged);
      this.#answer(flight, judged.seq);
    } else this.#sendAgain();
    this.#pump();
  }

  /**
   * Something that does not count took the place of the first flight (a late append of a deposed primary): none of the
   * window can count any more, so its operations go into new entries, in the same order.
   */
  #sendAgain(): void {
    const proposals = this.#window.flatMap((flight) => [...flight.proposals]);
    this.#generation += 1;
    this.#window = [];
    this.#queue.putBack(proposals);
  }

  #answer(flight: Flight, seq: number): void {
    const until = this.#withholdUntil;
    if (this.#options.clock.now() >= until && this.#withheld.length === 0) return resolveAll(flight, seq);
    this.#withheld.push({ flight, seq, until });
    if (this.#withheld.length === 1) void this.#answerLater();
  }

  /** Answers in order, each when its own time has come: answers of an earlier term may be among them. */
  async #answerLater(): Promise<void> {
    const { clock } = this.#options;
    for (let next = this.#withheld[0]; next !== undefined; next = this.#withheld[0]) {
      await clock.sleep(Math.max(1, next.until - clock.now()));
      if (clock.now() < next.until) continue;
      this.#withheld.shift();
      resolveAll(next.flight, next.seq);
    }
  }

  /**
   * Leads no more. `lost`: another term is in the log before anything that is still under way, so none of it was
   * executed. Otherwise what was sent may still turn up.
   */
  stop(lost: boolean): void {
    if (this.#term === null) return;
    this.#term = null;
    const sent = this.#window.flatMap((flight) => [...flight.proposals]);
    this.#generation += 1;
    this.#window = [];
    for (const proposal of sent) {
      if (lost) refuse(proposal, 'not-primary', 'another primary took over; the operation was not executed');
      else refuse(proposal, 'unknown-outcome', 'the replica stopped leading; the operation may have been executed');
    }
    for (const proposal of this.#queue.takeAll()) {
      if (proposal.answered) continue;
      refuse(proposal, 'not-primary', 'this replica leads no more; the operation was not executed');
    }
  }

  #refuseAll(code: ReplicaErrorCode, message: string): void {
    const proposals = [...this.#window.flatMap((flight) => [...flight.proposals]), ...this.#queue.takeAll()];
    this.#generation += 1;
    this.#window = [];
    for (const proposal of proposals) refuse(proposal, code, message);
  }

  /** Answers callers that have waited too long; what they wait for goes on. */
  sweep(): void {
    const since = this.#options.clock.now() - proposalTimeoutMs;
    for (const flight of this.#window) {
      if (flight.sentAt >= since + proposalTimeoutMs) break;
      for (const proposal of flight.proposals) if (proposal.since < since) expire(proposal);
    }
    for (const proposal of this.#queue.olderThan(since)) expire(proposal);
  }
}

const expire = (proposal: Proposal): void =>
  refuse(proposal, 'unknown-outcome', 'no outcome in time; the operation may yet be executed');

function resolveAll(flight: Flight, seq: number): void {
  for (const proposal of flight.proposals) {
    if (proposal.answered) continue;
    proposal.answered = true;
    proposal.resolve(seq);
  }
}
