import type { Logger } from 'pino';
import { jittered, type Clock } from '../log/clock.ts';
import type { LogExtent, ReplicatedLog } from '../log/replicated-log.ts';
import type { LogHolds } from './log-holds.ts';
import type { Member } from './member.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { holdsStill, rehearse, type Proof } from './rehearsal.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import { electionDue, rankAmong } from './standing.ts';
import { trimTarget } from './trim.ts';

export interface HousekeepingOptions {
  readonly pod: string;
  readonly member: Member;
  readonly log: ReplicatedLog;
  readonly snapshots: SnapshotSource;
  readonly neighbourhood: Neighbourhood;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Who else reads the log. */
  readonly holds?: Pick<LogHolds, 'floor'>;
}

const electionTickMs = 500;
const flushEveryMs = 5_000;
const trimEveryMs = 30_000;

/** What a replica does by itself now and then: stands for election when nobody else acts, flushes its store, trims the log. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #followingSince: number;
  #deafAt: number;
  #stoodAt = 0;
  #durable = 0;
  #proof: Proof | null = null;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#followingSince = options.clock.now();
    this.#deafAt = options.clock.now();
  }

  /** Sequence up to which the store survives a power cut. */
  get durable(): number {
    return this.#durable;
  }

  /** Time since a peer last gave a whole snapshot to this replica, which led then, ms; null: never. */
  get snapshotAgeMs(): number | null {
    return this.#proof === null ? null : this.#options.clock.now() - this.#proof.at;
  }

  start(): void {
    void this.#every(electionTickMs, () => this.#stand());
    void this.#every(flushEveryMs, () => this.#flush());
    void this.#every(trimEveryMs, () => this.#trim());
  }

  async #every(ms: number, task: () => Promise<void>): Promise<void> {
    const { clock, signal, logger } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(jittered(clock, ms), signal);
      if (signal.aborted) return;
      await task().catch((error: unknown) => logger.warn({ err: error }, 'housekeeping failed; it is tried again'));
    }
  }

  async #stand(): Promise<void> {
    const { clock, member, neighbourhood, pod, logger } = this.#options;
    const now = clock.now();
    if (member.state !== 'following') this.#followingSince = now;
    if (!neighbourhood.hears) this.#deafAt = now;
    const own = { pod, applied: member.applied };
    const due = electionDue({
      now,
      followingSince: this.#followingSince,
      primaryHeardAt: neighbourhood.primaryHeardAt,
      deafAt: this.#deafAt,
      stoodAt: this.#stoodAt,
      rank: rankAmong(own, neighbourhood.peers()),
      lot: clock.random(),
    });
    if (!due) return;
    this.#stoodAt = now;
    const reply = await member.promote(member.term + 1);
    logger.warn({ reply }, 'nobody led and no operator acted: this replica stood for primary');
  }

  async #flush(): Promise<void> {
    this.#durable = Math.max(this.#durable, await this.#options.member.flush());
  }

  async #trim(): Promise<void> {
    const { member, log, neighbourhood, logger, pod, holds, clock } = this.#options;
    if (!member.leading) return;
    const extent = await log.extent();
    const own = { pod, alive: true, durable: this.#durable };
    const held = holds?.floor(clock.now(), extent.bytes) ?? null;
    const target = trimTarget(extent, [own, ...neighbourhood.trimMembers()], held);
    if (target === null) return;
    const proof = await this.#prove(target, extent);
    if (proof === null || !member.leading) return;
    await log.trim(target);
    logger.info({ target, first: extent.first, provedBy: proof.pod }, 'the log was trimmed');
  }

  /** That a peer could give a snapshot with all entries up to `seq`: as none could, the log is not trimmed. */
  async #prove(seq: number, { created }: LogExtent): Promise<Proof | null> {
    const { snapshots, neighbourhood, logger, signal, clock } = this.#options;
    const isAlive = (peer: string): boolean =>
      neighbourhood.trimMembers().some(({ pod, alive }) => pod === peer && alive);
    const began = clock.now();
    if (holdsStill(this.#proof, began, isAlive)) return this.#proof;
    const rehearsal = await rehearse(snapshots, { seq, created, signal });
    if (!rehearsal.ok) {
      logger.warn({ target: seq, reason: rehearsal.reason }, 'the log is not trimmed: no peer gave a whole snapshot');
      return null;
    }
    this.#proof = { pod: rehearsal.pod, at: clock.now(), tookMs: clock.now() - began };
    return this.#proof;
  }
}
