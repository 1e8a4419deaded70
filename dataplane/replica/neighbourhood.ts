import type { Heartbeat } from '../../contract/heartbeat.ts';
import { suspectAfterMs } from '../../contract/heartbeat.ts';
import type { ReplicaSetId, ReplicatedKind } from '../../contract/names.ts';
import { watchDirectory, type Directory } from '../fabric/directory.ts';
import { watchHeartbeats, type Heartbeats } from '../fabric/heartbeats.ts';
import type { Pod } from '../fabric/pod.ts';
import type { Clock } from '../log/clock.ts';
import { agreedOffset } from './agreed-clock.ts';
import { rebuildsBefore, type NodeRebuild } from './rebuild-turn.ts';
import type { Peer } from './snapshot-source.ts';
import type { TrimMember } from './trim.ts';

/** What a replica knows of the others of its set: who belongs to it (directory) and how they are (heartbeats). */
export class Neighbourhood {
  readonly #pod: Pod;
  readonly #set: ReplicaSetId;
  readonly #clock: Clock;
  readonly #heartbeats: Heartbeats;
  #directory: Directory<ReplicatedKind> | null = null;
  #primaryHeardAt = 0;
  /** Replicas of any set on this node that told of a rebuild, and when they were last heard. */
  readonly #rebuilds = new Map<string, NodeRebuild & { readonly at: number }>();

  constructor(pod: Pod, set: ReplicaSetId, clock: Clock) {
    this.#pod = pod;
    this.#set = set;
    this.#clock = clock;
    this.#heartbeats = watchHeartbeats(pod, set.kind);
    const stopListening = this.#heartbeats.onBeat((beat) => this.#hear(beat));
    pod.onShutdown('neighbourhood', async () => stopListening());
    // Not waited for: a replica whose store is not empty can follow its log before the directory is there.
    void watchDirectory(pod, set.kind).then((directory) => (this.#directory = directory));
  }

  #hear(beat: Heartbeat): void {
    this.#noteRebuild(beat);
    if (beat.resource !== this.#set.name || beat.pod === this.#ownName) return;
    const leads = beat.replica?.state === 'primary' || beat.replica?.state === 'promoting';
    if (leads) this.#primaryHeardAt = this.#clock.now();
  }

  #noteRebuild({ pod, node, replica }: Heartbeat): void {
    if (node !== this.#pod.env.QUARTET_NODE || pod === this.#ownName) return;
    if (replica?.rebuild === undefined) this.#rebuilds.delete(pod);
    else this.#rebuilds.set(pod, { pod, stage: replica.rebuild.stage, at: this.#clock.now() });
  }

  /** Who on this node is rebuilt before this replica; null: nobody. */
  rebuildsBefore(): string | null {
    const since = this.#clock.now() - suspectAfterMs;
    return rebuildsBefore(
      this.#ownName,
      [...this.#rebuilds.values()].filter(({ at }) => at >= since),
    );
  }

  get #ownName(): string {
    return this.#pod.env.QUARTET_POD;
  }

  get #entry() {
    return this.#directory?.entries.get(this.#set.name) ?? null;
  }

  /** Creation time of the log that the operator made; null while the directory does not say. */
  get log(): string | null {
    return this.#entry?.log?.created ?? null;
  }

  /** Last heartbeat of another replica that leads or is about to, monotonic ms; 0 = never. */
  get primaryHeardAt(): number {
    return this.#primaryHeardAt;
  }

  /** It hears its own heartbeat, so that the silence of others means something. */
  get hears(): boolean {
    return this.#heartbeats.alive(this.#ownName, suspectAfterMs);
  }

  /** Wall clock that the members agree on, milliseconds: see {@link agreedOffset}. */
  wall(): number {
    const now = this.#clock.now();
    const others = this.#others().flatMap((pod) => {
      const heard = this.#heartbeats.get(pod);
      return heard === undefined ? [] : [heard.beat.at - heard.receivedAt];
    });
    return Math.round(now + agreedOffset(this.#clock.wall() - now, others));
  }

  /** Live replicas, this one left out, that follow or lead. */
  peers(): readonly Peer[] {
    return this.#others().flatMap((pod) => {
      const report = this.#live(pod)?.replica;
      const able = report?.state === 'following' || report?.state === 'primary';
      return report && able ? [{ pod, applied: report.applied, leading: report.state === 'primary' }] : [];
    });
  }

  /** All members of the set but this one, as far as trimming is concerned. */
  trimMembers(): readonly TrimMember[] {
    return this.#others().map((pod) => {
      const report = this.#live(pod)?.replica;
      const sound = report !== undefined && report.state !== 'halted';
      return { pod, alive: sound, durable: report?.figures['durable'] ?? 0 };
    });
  }

  #others(): string[] {
    return (this.#entry?.members ?? []).map(({ pod }) => pod).filter((pod) => pod !== this.#ownName);
  }

  #live(pod: string): Heartbeat | undefined {
    return this.#heartbeats.alive(pod, suspectAfterMs) ? this.#heartbeats.get(pod)?.beat : undefined;
  }
}
