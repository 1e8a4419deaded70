import type { JetStreamManager } from '@nats-io/jetstream';
import { chatPartition, chatPartitions, chatStream, chatSubject } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import type { HubRegistry } from '../room/hub-registry.ts';
import { epochOf } from './epoch.ts';
import { ensurePartition } from './provision.ts';

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
  readonly #hubs: HubRegistry;
  readonly #seen = new Map<number, Seen>();
  readonly #counts = new Map<number, ReadonlyMap<string, number>>();
  /** Position of each live room at the last look: a room that moved since proves itself by its next message. */
  #tops = new Map<string, number>();

  constructor(pod: Pod, manager: JetStreamManager, hubs: HubRegistry) {
    this.#pod = pod;
    this.#manager = manager;
    this.#hubs = hubs;
  }

  /** Stored messages of a room at the last look. */
  messages(room: string): number {
    return this.#counts.get(chatPartition(room))?.get(room) ?? 0;
  }

  /** Looks once. Rejects when NATS does not answer. */
  async run(): Promise<void> {
    for (let partition = 0; partition < chatPartitions; partition++) await this.#partition(partition);
    const quiet = this.#hubs.hubs.filter((hub) => this.#tops.get(hub.room) === hub.top);
    this.#tops = new Map(this.#hubs.hubs.map((hub) => [hub.room, hub.top]));
    for (const hub of quiet) if (await this.#missesTail(hub.room, hub.top)) await hub.resync();
  }

  async #partition(partition: number): Promise<void> {
    const info = await ensurePartition(this.#pod, this.#manager, partition);
    const { last_seq: last, messages } = info.state;
    const now: Seen = { epoch: epochOf(info.created), mark: `${info.created} ${last} ${messages}` };
    const before = this.#seen.get(partition);
    if (before !== undefined && before.epoch !== now.epoch) {
      this.#pod.log.error({ partition }, 'a partition of the chat was made anew; its earlier messages are gone');
      this.#hubs.closePartition(partition);
    }
    if (before?.mark === now.mark) return;
    this.#counts.set(partition, await this.#count(partition));
    this.#seen.set(partition, now);
  }

  async #count(partition: number): Promise<ReadonlyMap<string, number>> {
    const namespace = this.#pod.env.QUARTET_NAMESPACE;
    const filter = chatSubject(namespace, partition, '*');
    const { state } = await this.#manager.streams.info(chatStream(namespace, partition), { subjects_filter: filter });
    const subjects = Object.entries(state.subjects ?? {});
    return new Map(subjects.map(([subject, count]) => [subject.slice(subject.lastIndexOf('.') + 1), count]));
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
