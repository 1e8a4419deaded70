import { controlReply, type ControlRequest } from '../../../contract/control.ts';
import { suspectAfterMs, type ReplicaReport } from '../../../contract/heartbeat.ts';
import { controlSubject } from '../../../contract/subjects.ts';
import { watchHeartbeats, type Heartbeats } from '../../../dataplane/fabric/heartbeats.ts';
import type { Pod } from '../../../dataplane/fabric/pod.ts';

/** Sees what members say of themselves, and speaks to them as the operator does. */
export class Observer {
  readonly #pod: Pod;
  readonly #beats: Heartbeats;
  readonly #shards: Map<string, readonly string[]>;

  /** @param shards names of the members of each shard */
  constructor(pod: Pod, shards: ReadonlyMap<string, readonly string[]>) {
    this.#pod = pod;
    this.#beats = watchHeartbeats(pod, 'db');
    this.#shards = new Map(shards);
  }

  /** There is another shard from now on. */
  add(shard: string, members: readonly string[]): void {
    this.#shards.set(shard, members);
  }

  /** The live member of a shard that leads with the highest term, if any. */
  primary(shard: string): string | undefined {
    return this.live(shard)
      .filter((pod) => this.report(pod)?.state === 'primary')
      .sort((a, b) => this.#term(b) - this.#term(a))[0];
  }

  /** The highest term that any member of a shard reported. */
  highestTerm(shard: string): number {
    return Math.max(0, ...(this.#shards.get(shard) ?? []).map((pod) => this.#term(pod)));
  }

  /** Members of a shard that were heard of late. */
  live(shard: string): string[] {
    return (this.#shards.get(shard) ?? []).filter((pod) => this.#beats.alive(pod, suspectAfterMs));
  }

  report(pod: string): ReplicaReport | undefined {
    return this.#beats.get(pod)?.beat.replica;
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

  #term(pod: string): number {
    return this.report(pod)?.term ?? 0;
  }
}
