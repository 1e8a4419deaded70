import { performance } from 'node:perf_hooks';
import { heartbeat, type Heartbeat } from '../../contract/heartbeat.ts';
import type { Role } from '../../contract/names.ts';
import type { Pod } from './pod.ts';

/** A heartbeat and when it came, on this process's monotonic clock (ms). */
export interface ReceivedBeat {
  readonly beat: Heartbeat;
  readonly receivedAt: number;
}

/** The last heartbeat of every pod of a role in the namespace. */
export interface Heartbeats {
  /** The last heartbeat of a pod, however old. */
  get(pod: string): ReceivedBeat | undefined;
  /** Whether a pod was heard within the last `withinMs`. */
  alive(pod: string, withinMs: number): boolean;
  /** Calls the listener for each heartbeat; returns what ends that. */
  onBeat(listener: (beat: Heartbeat) => void): () => void;
}

/** A pod that was silent for this long is forgotten. */
const forgetAfterMs = 10 * 60_000;

class HeartbeatTable implements Heartbeats {
  readonly #beats = new Map<string, ReceivedBeat>();
  readonly #listeners = new Set<(beat: Heartbeat) => void>();

  get(pod: string): ReceivedBeat | undefined {
    return this.#beats.get(pod);
  }

  alive(pod: string, withinMs: number): boolean {
    const received = this.#beats.get(pod);
    return received !== undefined && performance.now() - received.receivedAt <= withinMs;
  }

  onBeat(listener: (beat: Heartbeat) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(beat: Heartbeat): void {
    this.#beats.set(beat.pod, { beat, receivedAt: performance.now() });
    for (const listener of this.#listeners) listener(beat);
  }

  forgetOld(): void {
    const before = performance.now() - forgetAfterMs;
    for (const [pod, received] of this.#beats) if (received.receivedAt < before) this.#beats.delete(pod);
  }
}

/** Follows the heartbeats of all pods of a role in the pod's namespace. Malformed ones are logged and dropped. */
export const watchHeartbeats = (pod: Pod, role: Role): Heartbeats => {
  const table = new HeartbeatTable();
  const subscription = pod.nats.subscribe(`quartet.${pod.env.QUARTET_NAMESPACE}.heartbeat.${role}.>`, {
    callback: (error, message) => {
      if (error) return;
      const parsed = heartbeat.safeParse(parseJson(message.string()));
      if (parsed.success) table.receive(parsed.data);
      else pod.log.warn({ subject: message.subject }, 'a malformed heartbeat was dropped');
    },
  });
  const sweep = setInterval(() => table.forgetOld(), forgetAfterMs / 10).unref();
  pod.onShutdown(`heartbeats of ${role}`, async () => {
    clearInterval(sweep);
    subscription.unsubscribe();
  });
  return table;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
