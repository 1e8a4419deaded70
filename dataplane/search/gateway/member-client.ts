import { performance } from 'node:perf_hooks';
import type { SearchShardEntry } from '../../../contract/directory.ts';
import { memberSubject } from '../../../contract/subjects.ts';
import type { Heartbeats } from '../../fabric/heartbeats.ts';
import { ask } from '../../fabric/ask.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { MemberReply, MemberRequest } from '../member/protocol.ts';
import { ReplicaChoice } from './replica-choice.ts';

/** Silence after which a member is not asked first. */
const quietMs = 1500;

/** No answer, or not in time: the request may or may not have been carried out. */
export interface NoAnswer {
  readonly ok: false;
  readonly code: 'no-answer';
  readonly errorType: string;
  readonly reason: string;
  /** Nobody received it. */
  readonly unsent: boolean;
}

export type Answer<T> = MemberReply<T> | NoAnswer;

/** How a gateway reaches the members of shards, and what it knows of them. */
export interface MemberAccess {
  /** One request to one member. Never rejects. */
  ask<T>(shard: SearchShardEntry, pod: string, request: MemberRequest, timeoutMs: number): Promise<Answer<T>>;
  /** The member that leads, as far as known. */
  primaryOf(shard: SearchShardEntry): string | null;
  /** All members, the most promising for a search first. */
  searchOrder(shard: SearchShardEntry): string[];
  /** Whether the member was heard of late. */
  alive(pod: string): boolean;
  /** State and figures that the member last reported. */
  report(pod: string): MemberReport | undefined;
}

export interface MemberReport {
  readonly state: string;
  readonly applied: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Asks members over NATS and remembers how quickly they answer. */
export class MemberClient implements MemberAccess {
  readonly #pod: Pod;
  readonly #beats: Heartbeats;
  readonly #choice = new ReplicaChoice();

  constructor(pod: Pod, beats: Heartbeats) {
    this.#pod = pod;
    this.#beats = beats;
  }

  async ask<T>(shard: SearchShardEntry, pod: string, request: MemberRequest, timeoutMs: number): Promise<Answer<T>> {
    const started = performance.now();
    this.#choice.sent(pod);
    const subject = memberSubject({ kind: 'search', namespace: shard.namespace, name: shard.name }, pod);
    const reply = await ask(this.#pod.nats, subject, JSON.stringify(request), { timeoutMs: Math.max(1, timeoutMs) });
    if (reply.kind !== 'answer') {
      return this.#noAnswer(pod, reply.kind === 'nobody' ? 'it does not listen' : reply.why, reply.kind === 'nobody');
    }
    this.#choice.answered(pod, performance.now() - started);
    try {
      return reply.message.json<MemberReply<T>>();
    } catch (error) {
      return this.#noAnswer(pod, `it answers something else: ${String(error)}`, false);
    }
  }

  #noAnswer(pod: string, why: string, unsent: boolean): NoAnswer {
    this.#choice.failed(pod);
    const reason = `[${pod}] ${why}`;
    return { ok: false, code: 'no-answer', errorType: 'node_disconnected_exception', reason, unsent };
  }

  /** The one with the highest term that a live member reports, else what the directory says. */
  primaryOf({ members, primary, term }: SearchShardEntry): string | null {
    let best = primary !== null && this.alive(primary) ? { pod: primary, term } : null;
    for (const { pod } of members) {
      const led = this.#ledTerm(pod);
      if (led !== null && led >= (best?.term ?? 0)) best = { pod, term: led };
    }
    return best?.pod ?? primary;
  }

  /** The term in which a live member says that it leads. */
  #ledTerm(pod: string): number | null {
    const replica = this.alive(pod) ? this.#beats.get(pod)?.beat.replica : undefined;
    return replica?.state === 'primary' ? replica.term : null;
  }

  /** Alive and caught up first, then by what they cost of late. */
  searchOrder({ members }: SearchShardEntry): string[] {
    const usable = (pod: string): boolean => {
      const state = this.#beats.alive(pod, quietMs) ? this.#beats.get(pod)?.beat.replica?.state : undefined;
      return state === 'primary' || state === 'following';
    };
    const pods = members.map(({ pod }) => pod);
    return [...this.#choice.order(pods.filter(usable)), ...this.#choice.order(pods.filter((pod) => !usable(pod)))];
  }

  alive(pod: string): boolean {
    return this.#beats.alive(pod, quietMs);
  }

  report(pod: string): MemberReport | undefined {
    return this.#beats.get(pod)?.beat.replica;
  }
}
