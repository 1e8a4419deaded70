import type { JetStreamManager } from '@nats-io/jetstream';
import { chatPartition, chatPartitions, chatStream, chatSubject } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { Hub } from '../room/hub.ts';
import { epochOf } from './epoch.ts';
import { ensurePartition } from './provision.ts';

/** The rooms that an audit looks after. */
export interface AuditedRooms {
  readonly hubs: readonly Hub[];
  /** Ends all rooms of a partition: its stream has another history. */
  closePartition(partition: number): void;
}

interface Seen {
  readonly epoch: string;
  /** Changes whenever a message is stored or removed. */
  readonly mark: string;
}

/**
 * Looks at the partitions every now and then: whether a stream was made anew (then its rooms start again), whether a
 * live message was lost at the end of a room (then the room reads it), and how many messages each room holds.
 */
export class Audit {
  readonly #pod: Pod;
  readonly #manager: JetStreamManager;
  readonly #hubs: AuditedRooms;
  readonly #seen = new Map<number, Seen>();
  readonly #counts = new Map<number, ReadonlyMap<string, number>>();
  /** Position of each live room at the last look: a room that moved since proves itself by its next message. */
  #tops: ReadonlyMap<string, number> = new Map();
  /** Partitions that changed, and whose live rooms were not all found level with the stream since. */
  readonly #unverified = new Set<number>();

  constructor(pod: Pod, manager: JetStreamManager, hubs: AuditedRooms) {
    this.#pod = pod;
    this.#manager = manager;
    this.#hubs = hubs;
  }

  /** Stored messages of a room at the last look. */
  messages(room: string): number {
    return this.#counts.get(chatPartition(room))?.get(room) ?? 0;
  }

  /** Looks once; says whether a stream had to be made anew. Rejects when NATS does not answer. */
  async run(): Promise<{ madeAnew: boolean }> {
    const epochs = new Map([...this.#seen].map(([partition, { epoch }]) => [partition, epoch]));
    for (let partition = 0; partition < chatPartitions; partition++) {
      if (await this.#partition(partition)) this.#unverified.add(partition);
    }
    const before = this.#tops;
    this.#tops = new Map(this.#hubs.hubs.map((hub) => [hub.room, hub.top]));
    for (const partition of this.#unverified) {
      const hubs = this.#hubs.hubs.filter(({ room }) => chatPartition(room) === partition);
      if (await this.#areLevel(hubs, before)) this.#unverified.delete(partition);
    }
    return { madeAnew: [...epochs].some(([partition, epoch]) => this.#seen.get(partition)?.epoch !== epoch) };
  }

  /** Whether the partition changed since the last look. */
  async #partition(partition: number): Promise<boolean> {
    const info = await ensurePartition(this.#pod, this.#manager, partition);
    const { last_seq: last, messages } = info.state;
    const now: Seen = { epoch: epochOf(info.created), mark: `${info.created} ${last} ${messages}` };
    const before = this.#seen.get(partition);
    if (before !== undefined && before.epoch !== now.epoch) {
      this.#pod.log.error({ partition }, 'a partition of the chat was made anew; its earlier messages are gone');
      this.#hubs.closePartition(partition);
    }
    if (before?.mark === now.mark) return false;
    this.#counts.set(partition, await this.#count(partition));
    this.#seen.set(partition, now);
    return true;
  }

  async #count(partition: number): Promise<ReadonlyMap<string, number>> {
    const namespace = this.#pod.env.QUARTET_NAMESPACE;
    const filter = chatSubject(namespace, partition, '*');
    const { state } = await this.#manager.streams.info(chatStream(namespace, partition), { subjects_filter: filter });
    const subjects = Object.entries(state.subjects ?? {});
    return new Map(subjects.map(([subject, count]) => [subject.slice(subject.lastIndexOf('.') + 1), count]));
  }

  /** Whether all rooms stand still and have all that is stored; reads what one lacks. */
  async #areLevel(hubs: readonly Hub[], before: ReadonlyMap<string, number>): Promise<boolean> {
    let level = true;
    for (const hub of hubs) {
      const { top } = hub;
      if (before.get(hub.room) !== top) {
        level = false;
      } else if (await this.#missesTail(hub.room, top)) {
        await hub.resync();
        level = false;
      }
    }
    return level;
  }

  async #missesTail(room: string, top: number): Promise<boolean> {
    const partition = chatPartition(room);
    const namespace = this.#pod.env.QUARTET_NAMESPACE;
    const stream = chatStream(namespace, partition);
    const query = { last_by_subj: chatSubject(namespace, partition, room) };
    const last = await this.#manager.streams.getMessage(stream, query);
    return last !== null && last.seq > top;
  }
}
