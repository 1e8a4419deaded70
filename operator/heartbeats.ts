import { heartbeat, suspectAfterMs, type Heartbeat } from '../contract/heartbeat.ts';
import type { BeatView } from './replicas/view.ts';

/** Which pod a heartbeat came from, as its subject says. */
export interface PodAddress {
  readonly namespace: string;
  readonly role: string;
  /** `_` for gateways. */
  readonly resource: string;
  readonly pod: string;
}

/** The last that was heard of one pod. Times are monotonic ms. */
export interface Heard {
  readonly address: PodAddress;
  readonly beat: Heartbeat;
  readonly receivedAt: number;
  /** First beat of this process. */
  readonly since: number;
  /** When its state last changed. */
  readonly stateSince: number;
  readonly silent: boolean;
  /** It was asked whether it is there, since its last beat. */
  readonly asked: boolean;
  /** NATS says that it is not connected. */
  readonly gone: boolean;
}

/** A heartbeat with its times, ms before now. */
export interface Told {
  readonly beat: Heartbeat;
  readonly ageMs: number;
  /** Since the first one of the process, or since this operator listens. */
  readonly upForMs: number;
  /** Since its state last changed, or since this operator listens. */
  readonly stateForMs: number;
}

/**
 * A primary that was silent for so long is asked whether it is there. When it ended, NATS answers at once that nobody
 * listens, and its silence counts from then on. Longer than a pod takes to reconnect when a nats-server ends.
 */
const askAfterMs = 800;

/** A pod that was silent for so long counts no more among those that should be heard. */
const countForMs = 15_000;
/** Its last words are kept for longer: they tell since when it is silent. */
const forgetAfterMs = 600_000;
/** A gap between two ticks that shows that this process itself was stalled. */
const stallMs = 600;

/**
 * - changed: another state, term or process, or keys changed hands
 * - silent: nothing came for suspectAfterMs
 * - figures: only its figures moved
 */
export type HeartbeatNews = 'changed' | 'silent' | 'figures';

/** Reads the address from `quartet.<namespace>.heartbeat.<role>.<resource>.<pod>`. */
export const parseHeartbeatSubject = (subject: string): PodAddress | null => {
  const [, namespace, word, role, resource, pod] = subject.split('.');
  if (word !== 'heartbeat' || !namespace || !role || !resource || !pod) return null;
  return { namespace, role, resource, pod };
};

const stateOf = (beat: Heartbeat): string =>
  `${beat.incarnation}/${beat.replica?.state ?? ''}/${beat.replica?.term ?? 0}`;

/** Of a split or a merge: what others wait for. */
const rangeOf = ({ replica }: Heartbeat): string => {
  const { start, end, epoch, intake, handed, transactions } = replica?.range ?? {};
  return JSON.stringify([start, end, epoch, intake?.phase, handed?.to, transactions === 0]);
};

const figuresOf = ({ replica, edge }: Heartbeat): string =>
  JSON.stringify([replica?.figures, replica?.range?.intake?.problem, edge]);

/** What is new in a heartbeat; null: nothing but time has passed. */
const newsOf = (before: Heard | undefined, beat: Heartbeat): HeartbeatNews | null => {
  if (before === undefined || before.silent) return 'changed';
  if (stateOf(before.beat) !== stateOf(beat) || rangeOf(before.beat) !== rangeOf(beat)) return 'changed';
  return figuresOf(before.beat) === figuresOf(beat) ? null : 'figures';
};

/**
 * What the operator hears of pods, and whether its own silence is meaningful. Times are its own monotonic receive times;
 * the clocks of pods decide nothing.
 */
export class Heartbeats {
  readonly #now: () => number;
  readonly #heard = new Map<string, Heard>();
  readonly #suspectAfter = new Map<string, number>();
  readonly #listeners = new Set<(address: PodAddress, news: HeartbeatNews) => void>();
  /** Silence before this time proves nothing. */
  #soundFrom = Number.POSITIVE_INFINITY;
  #lastTick: number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lastTick = now();
  }

  onNews(listener: (address: PodAddress, news: HeartbeatNews) => void): void {
    this.#listeners.add(listener);
  }

  /** NATS is there (again): from a while after now, silence counts. */
  connected(): void {
    this.#soundFrom = this.#now() + suspectAfterMs;
  }

  /** NATS is away: silence says nothing. */
  disconnected(): void {
    this.#soundFrom = Number.POSITIVE_INFINITY;
  }

  /** Sets the silence after which a pod of a resource is suspected, ms. */
  setSuspectAfter(namespace: string, resource: string, ms: number): void {
    this.#suspectAfter.set(`${namespace}/${resource}`, ms);
  }

  /** Takes a heartbeat; what is malformed is dropped. */
  take(subject: string, payload: unknown): void {
    const address = parseHeartbeatSubject(subject);
    const parsed = heartbeat.safeParse(payload);
    if (address === null || !parsed.success) return;
    const key = `${address.namespace}/${address.pod}`;
    const before = this.#heard.get(key);
    const beat = parsed.data;
    const now = this.#now();
    const sameProcess = before?.beat.incarnation === beat.incarnation;
    const sameState = before !== undefined && stateOf(before.beat) === stateOf(beat);
    this.#heard.set(key, {
      address,
      beat,
      receivedAt: now,
      since: sameProcess ? before.since : now,
      stateSince: sameState ? before.stateSince : now,
      silent: false,
      asked: false,
      gone: false,
    });
    const news = newsOf(before, beat);
    if (news !== null) this.#tell(address, news);
  }

  get(namespace: string, pod: string): Heard | undefined {
    return this.#heard.get(`${namespace}/${pod}`);
  }

  /** Time since the last heartbeat of a pod, ms; infinite when there was none. */
  ageMs(namespace: string, pod: string): number {
    const heard = this.get(namespace, pod);
    return heard === undefined ? Number.POSITIVE_INFINITY : this.#now() - heard.receivedAt;
  }

  /** What all pods of a resource said last, and when. */
  told(namespace: string, role: string, resource: string): Told[] {
    const now = this.#now();
    const isAsked = ({ address }: Heard): boolean =>
      address.namespace === namespace && address.role === role && address.resource === resource;
    return [...this.#heard.values()].filter(isAsked).map(({ beat, receivedAt, since, stateSince }) => ({
      beat,
      ageMs: Math.round(now - receivedAt),
      upForMs: Math.round(now - since),
      stateForMs: Math.round(now - stateSince),
    }));
  }

  /** All pods of a role in a namespace that were heard of within the last `withinMs`. */
  fresh(namespace: string, role: string, withinMs: number): Heard[] {
    const now = this.#now();
    return [...this.#heard.values()].filter(
      (one) => one.address.namespace === namespace && one.address.role === role && now - one.receivedAt <= withinMs,
    );
  }

  /** The heartbeat of a replica as decisions see it; null when it was never heard of. */
  view(namespace: string, pod: string): BeatView | null {
    const heard = this.get(namespace, pod);
    const replica = heard?.beat.replica;
    if (heard === undefined || replica === undefined) return null;
    const now = this.#now();
    return {
      state: replica.state,
      term: replica.term,
      applied: replica.applied,
      tail: replica.tail,
      ageMs: heard.gone ? Number.POSITIVE_INFINITY : now - heard.receivedAt,
      upForMs: now - heard.since,
      stateForMs: now - heard.stateSince,
      reason: replica.reason,
    };
  }

  /** Primaries that were silent for a while, each once per silence: somebody should ask whether they are there. */
  doubtful(): PodAddress[] {
    const now = this.#now();
    if (now < this.#soundFrom) return [];
    const found: PodAddress[] = [];
    for (const [key, one] of this.#heard) {
      const leads = one.beat.replica?.state === 'primary' && !one.silent && !one.asked;
      if (!leads || now - one.receivedAt < askAfterMs) continue;
      this.#heard.set(key, { ...one, asked: true });
      found.push(one.address);
    }
    return found;
  }

  /** NATS answered a question that {@link doubtful} led to: nobody is connected there. Not news if it was heard meanwhile. */
  gone(namespace: string, pod: string): void {
    const one = this.get(namespace, pod);
    if (one === undefined || !one.asked || one.silent || this.#now() < this.#soundFrom) return;
    this.#heard.set(`${namespace}/${pod}`, { ...one, silent: true, gone: true });
    this.#tell(one.address, 'silent');
  }

  /** A pod is gone from Kubernetes: it is no longer expected to be heard. */
  forget(namespace: string, pod: string): void {
    this.#heard.delete(`${namespace}/${pod}`);
  }

  /**
   * Whether silence counts: this process is connected for long enough, was not stalled itself, and hears at least half
   * of the pods that it knows. When more are silent the fault is likelier on its own side.
   */
  evidence(): 'sound' | 'none' {
    const now = this.#now();
    if (now < this.#soundFrom) return 'none';
    let heard = 0;
    let known = 0;
    for (const one of this.#heard.values()) {
      if (now - one.receivedAt <= countForMs) known++;
      if (!this.#isSilent(one, now)) heard++;
    }
    return heard > 0 && heard * 2 >= known ? 'sound' : 'none';
  }

  /** Time for which silence has counted without a break, ms. */
  listeningForMs(): number {
    return Math.max(0, this.#now() - this.#soundFrom);
  }

  /** To be called every 100 ms or so: finds silence, and notices when this process was stalled. */
  tick(): void {
    const now = this.#now();
    if (now - this.#lastTick > stallMs) this.#soundFrom = Math.max(this.#soundFrom, now + suspectAfterMs);
    this.#lastTick = now;
    if (now < this.#soundFrom) return;
    for (const [key, one] of this.#heard) {
      if (now - one.receivedAt > forgetAfterMs) this.#heard.delete(key);
      else if (!one.silent && this.#isSilent(one, now)) {
        this.#heard.set(key, { ...one, silent: true });
        this.#tell(one.address, 'silent');
      }
    }
  }

  #isSilent(one: Heard, now: number): boolean {
    if (one.gone) return true;
    const { namespace, resource } = one.address;
    return now - one.receivedAt > (this.#suspectAfter.get(`${namespace}/${resource}`) ?? suspectAfterMs);
  }

  #tell(address: PodAddress, news: HeartbeatNews): void {
    for (const listener of this.#listeners) listener(address, news);
  }
}
