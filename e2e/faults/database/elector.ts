import { setTimeout as sleep } from 'node:timers/promises';
import { controlReply, type ControlRequest } from '../../../contract/control.ts';
import { suspectAfterMs } from '../../../contract/heartbeat.ts';
import { controlSubject } from '../../../contract/subjects.ts';
import type { Heartbeats } from '../../../dataplane/fabric/heartbeats.ts';
import type { Pod } from '../../../dataplane/fabric/pod.ts';

/**
 * Stands in for the operator where there is no Kubernetes: when no primary of a shard was heard for as long as the
 * operator suspects after, it asks the most advanced live member to lead. It may be wrong at any time: the log decides.
 */
export class Elector {
  readonly #pod: Pod;
  readonly #beats: Heartbeats;
  readonly #shards: ReadonlyMap<string, readonly string[]>;
  readonly #stop = new AbortController();
  readonly #heardAt = new Map<string, number>();
  /** False: the operator is away. */
  present = true;

  /** @param shards members of each shard */
  constructor(pod: Pod, beats: Heartbeats, shards: ReadonlyMap<string, readonly string[]>) {
    this.#pod = pod;
    this.#beats = beats;
    this.#shards = shards;
    for (const shard of shards.keys()) void this.#watch(shard);
  }

  /** The live member of a shard that leads with the highest term, if any. */
  primary(shard: string): string | undefined {
    return this.#live(shard)
      .filter((pod) => this.#report(pod)?.state === 'primary')
      .sort((a, b) => this.#term(b) - this.#term(a))[0];
  }

  /** The highest term that any member of a shard reported. */
  highestTerm(shard: string): number {
    return Math.max(0, ...(this.#shards.get(shard) ?? []).map((pod) => this.#term(pod)));
  }

  /** Asks a member; false when it did not do it, or nobody knows. */
  async ask(pod: string, request: ControlRequest): Promise<boolean> {
    try {
      const subject = controlSubject(this.#pod.env.QUARTET_NAMESPACE, pod);
      const reply = await this.#pod.nats.request(subject, JSON.stringify(request), { timeout: 5_000 });
      return controlReply.parse(reply.json()).ok;
    } catch {
      return false;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(shard: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (this.primary(shard) !== undefined) this.#heardAt.set(shard, performance.now());
      else if (this.present && performance.now() - (this.#heardAt.get(shard) ?? 0) > 250) await this.#elect(shard);
      await sleep(100);
    }
  }

  async #elect(shard: string): Promise<void> {
    const [best] = this.#live(shard)
      .filter((pod) => this.#report(pod)?.state === 'following')
      .sort((a, b) => (this.#report(b)?.applied ?? 0) - (this.#report(a)?.applied ?? 0));
    if (best !== undefined) await this.ask(best, { type: 'promote', term: this.highestTerm(shard) + 1 });
  }

  #live(shard: string): string[] {
    return (this.#shards.get(shard) ?? []).filter((pod) => this.#beats.alive(pod, suspectAfterMs));
  }

  #report(pod: string) {
    return this.#beats.get(pod)?.beat.replica;
  }

  #term(pod: string): number {
    return this.#report(pod)?.term ?? 0;
  }
}
