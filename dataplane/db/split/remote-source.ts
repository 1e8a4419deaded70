import { NoRespondersError, RequestError, TimeoutError, type NatsConnection } from '@nats-io/nats-core';
import type { DbShardEntry } from '../../../contract/directory.ts';
import { suspectAfterMs } from '../../../contract/heartbeat.ts';
import type { ReplicaSetId } from '../../../contract/names.ts';
import { liveSubject, logStream, logSubject, memberSplitSubject } from '../../../contract/subjects.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { systemClock } from '../../log/clock.ts';
import { JetStreamLog } from '../../log/jetstream-log.ts';
import { openSetSnapshot } from '../../replica/set-snapshot.ts';
import type { Peer } from '../../replica/snapshot-source.ts';
import type { Position } from '../../replica/state-machine.ts';
import { DbError } from '../db-error.ts';
import { findPrimary } from '../gateway/target.ts';
import { readSnapshot } from '../store/snapshot-codec.ts';
import type { HandOver } from './hand-over.ts';
import type { Source, SourcePage } from './intake-source.ts';
import { pageAfter } from './log-pages.ts';
import type { MergePlan } from './merge-begin.ts';
import { decodeSplitAnswer, encodeSplitRequest, type Plan, type SplitAnswers, type SplitRequest } from './protocol.ts';
import type { GivenAway } from './source.ts';

export interface RemoteSourceOptions {
  readonly nats: NatsConnection;
  /** The shard that has the keys. */
  readonly set: ReplicaSetId;
  /** Name of the shard that takes them over. */
  readonly to: string;
  /** Its entry in the directory; undefined: there is none. */
  readonly entry: () => Pick<DbShardEntry, 'members'> | undefined;
  readonly beats: Pick<Heartbeats, 'get' | 'alive'>;
  readonly signal: AbortSignal;
}

/** How long an answer may take. What takes longer goes on at the source, and is asked for again. */
const requestMs = 10_000;

const again = (message: string, cause?: unknown): DbError => new DbError('TRYAGAIN', message, { cause });

/** The shard that has the keys, over NATS: its log, snapshots of its members, and requests to its primary. */
export class RemoteSource implements Source {
  readonly #options: RemoteSourceOptions;
  readonly #log: JetStreamLog;
  /** What follows in the source's log is still to be read; null: nothing is. */
  #after: number | null = null;

  constructor(options: RemoteSourceOptions) {
    this.#options = options;
    const { nats, set } = options;
    this.#log = new JetStreamLog({
      nats,
      stream: logStream(set),
      subject: logSubject(set),
      liveSubject: liveSubject(set),
    });
  }

  /** Where the split can begin; see `Planner.plan`. */
  plan(at: string | null): Promise<Plan> {
    return this.#ask({ type: 'plan', at });
  }

  /** All of its keys; see `Planner.planMerge`. */
  planMerge(): Promise<MergePlan> {
    return this.#ask({ type: 'plan-merge' });
  }

  /** Makes the source keep what is still to be read of its log. To be called more often than it forgets (`holdMs`). */
  async keep(): Promise<void> {
    const after = this.#after;
    if (after !== null) await this.#ask({ type: 'keep', to: this.#options.to, after });
  }

  async snapshot(): ReturnType<Source['snapshot']> {
    const { nats, set, signal } = this.#options;
    const peers = this.#peers();
    const { position, chunks } = await openSetSnapshot({
      nats,
      set,
      log: this.#log,
      peers,
      clock: systemClock,
      signal,
    });
    this.#after = position.seq;
    // At once, because a copy may take long; if it fails, the next one may not.
    await this.keep().catch(() => {});
    return { position, records: readSnapshot(chunks) };
  }

  entries(after: Position): Promise<SourcePage | null> {
    this.#after = after.seq;
    return pageAfter(this.#log, after);
  }

  handOver(asked: HandOver): Promise<GivenAway> {
    return this.#ask({ type: 'hand-over', ...asked });
  }

  async release(asked: Pick<HandOver, 'to' | 'epoch'>): Promise<void> {
    this.#after = null;
    await this.#ask({ type: 'release', ...asked });
  }

  async bar(asked: Parameters<Source['bar']>[0]): ReturnType<Source['bar']> {
    // What was taken away with all of its keys hands nothing over.
    if (this.#options.entry() === undefined) return { handed: false };
    const answer = await this.#ask({ type: 'bar', ...asked });
    if (!answer.handed) this.#after = null;
    return answer;
  }

  #members(): string[] {
    return this.#options.entry()?.members.map(({ pod }) => pod) ?? [];
  }

  #peers(): Peer[] {
    const { beats } = this.#options;
    return this.#members().flatMap((pod) => {
      const report = beats.alive(pod, suspectAfterMs) ? beats.get(pod)?.beat.replica : undefined;
      const able = report?.state === 'following' || report?.state === 'primary';
      return report && able ? [{ pod, applied: report.applied, leading: report.state === 'primary' }] : [];
    });
  }

  async #ask<T extends SplitRequest['type']>(request: Extract<SplitRequest, { type: T }>): Promise<SplitAnswers[T]> {
    const { nats, set, entry, beats } = this.#options;
    if (entry() === undefined) throw again(`there is no shard ${set.name}: is its name right?`);
    const primary = findPrimary(this.#members(), beats);
    if (primary === null) throw again(`shard ${set.name} has no primary now`);
    const subject = memberSplitSubject(set, primary.pod);
    try {
      const { data } = await nats.request(subject, encodeSplitRequest(request), { timeout: requestMs });
      return decodeSplitAnswer(request.type as T, Buffer.from(data).toString());
    } catch (error) {
      if (isSilence(error)) throw again(`${primary.pod}, which leads ${set.name}, does not answer`, error);
      throw error;
    }
  }
}

const isSilence = (error: unknown): boolean =>
  error instanceof TimeoutError || error instanceof NoRespondersError || error instanceof RequestError;
