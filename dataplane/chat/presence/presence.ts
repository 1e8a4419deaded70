import { performance } from 'node:perf_hooks';
import { heartbeatIntervalMs, suspectAfterMs } from '../../../contract/heartbeat.ts';
import { watchHeartbeats, type Heartbeats } from '../../fabric/heartbeats.ts';
import type { Pod } from '../../fabric/pod.ts';
import { ChatError } from '../chat-error.ts';
import type { ChatLimits } from '../limits.ts';
import type { ClientInfo } from '../protocol/reply.ts';
import { answer, answerFrom, question, type Answer, type Question } from './question.ts';
import type { Sessions } from './sessions.ts';

const subjectOf = (namespace: string): string => `quartet.${namespace}.chatask`;

/** Counts of a room over all gateways. */
export interface RoomStats {
  readonly clients: number;
  readonly users: number;
}

/**
 * Who is where, over all gateways. Every gateway holds the truth about its own connections and answers for them, so a
 * connection costs no write, and what a dead gateway held is gone with it: its heartbeat is its lease.
 */
export class Presence {
  readonly #pod: Pod;
  readonly #sessions: Sessions;
  readonly #limits: ChatLimits;
  readonly #beats: Heartbeats;
  readonly #gateways = new Set<string>();
  /** Before this time not every gateway has been heard, so it is not known how many answers to wait for. */
  readonly #heardAllFrom = performance.now() + 2 * heartbeatIntervalMs;

  constructor(pod: Pod, sessions: Sessions, limits: ChatLimits) {
    this.#pod = pod;
    this.#sessions = sessions;
    this.#limits = limits;
    this.#beats = watchHeartbeats(pod, 'chat-gateway');
    this.#beats.onBeat((beat) => this.#gateways.add(beat.pod));
    const own = pod.env.QUARTET_POD;
    const subscription = pod.nats.subscribe(subjectOf(pod.env.QUARTET_NAMESPACE), {
      callback: (error, message) => {
        const asked = error ? undefined : question.safeParse(parse(message.string()));
        if (asked?.success === true) message.respond(JSON.stringify(answerFrom(sessions, own, asked.data)));
      },
    });
    pod.onShutdown('chat presence', async () => subscription.unsubscribe());
  }

  /**
   * The connections in a room; null when there are more than the bound allows to list.
   * @throws ChatError `unavailable`
   */
  async clients(room: string): Promise<readonly ClientInfo[] | null> {
    const answers = await this.#ask({ ask: 'clients', room, limit: this.#limits.maxPresence });
    const total = answers.reduce((sum, { total }) => sum + total, 0);
    return total > this.#limits.maxPresence ? null : answers.flatMap(({ clients }) => clients);
  }

  /**
   * Connections and distinct users of a room.
   * @throws ChatError `unavailable`
   */
  async stats(room: string): Promise<RoomStats> {
    const answers = await this.#ask({ ask: 'users', room });
    return {
      clients: answers.reduce((sum, { total }) => sum + total, 0),
      users: new Set(answers.flatMap(({ users }) => users)).size,
    };
  }

  /**
   * Which of the users have a connection anywhere.
   * @throws ChatError `unavailable`
   */
  async online(users: readonly string[]): Promise<ReadonlySet<string>> {
    if (users.length === 0) return new Set();
    const answers = await this.#ask({ ask: 'online', users: [...users] });
    return new Set(answers.flatMap(({ users }) => users));
  }

  /**
   * All gateways and the rooms that somebody is subscribed to.
   * @throws ChatError `unavailable`
   */
  gateways(): Promise<readonly Answer[]> {
    return this.#ask({ ask: 'gateway' });
  }

  /** Asks all gateways that live. Returns when all have answered, or with what came in time. */
  async #ask(asked: Question): Promise<readonly Answer[]> {
    const own = this.#pod.env.QUARTET_POD;
    const others = this.#others();
    const heardAll = performance.now() >= this.#heardAllFrom;
    if (heardAll && others.size === 0) return [answer.parse(answerFrom(this.#sessions, own, asked))];
    const collected = new Map([[own, answer.parse(answerFrom(this.#sessions, own, asked))]]);
    const namespace = this.#pod.env.QUARTET_NAMESPACE;
    const started = performance.now();
    try {
      const replies = await this.#pod.nats.requestMany(subjectOf(namespace), JSON.stringify(asked), {
        ...(heardAll ? { strategy: 'count', maxMessages: others.size + 1 } : { strategy: 'timer' }),
        maxWait: this.#limits.gatherMs,
      });
      for await (const reply of replies) {
        const parsed = answer.safeParse(parse(reply.string()));
        if (parsed.success) collected.set(parsed.data.pod, parsed.data);
      }
    } catch (error) {
      throw new ChatError('unavailable', 'the other gateways cannot be asked now', { cause: error });
    }
    const silent = [...others].filter((pod) => !collected.has(pod) && this.#beats.alive(pod, suspectAfterMs));
    if (silent.length > 0) {
      this.#pod.log.debug({ silent, ms: performance.now() - started }, 'gateways did not answer about presence');
    }
    return [...collected.values()];
  }

  #others(): Set<string> {
    const alive = [...this.#gateways].filter((pod) => this.#beats.alive(pod, suspectAfterMs));
    return new Set(alive.filter((pod) => pod !== this.#pod.env.QUARTET_POD));
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};
