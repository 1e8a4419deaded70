import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core';
import { chatBucket } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import { ChatError } from '../chat-error.ts';
import { memberLivePrefix } from '../store/provision.ts';
import { readSubject } from '../store/read-subject.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { Roster, type MemberChange } from './roster.ts';
import { decodeUser, memberKey } from './user-key.ts';

/** A join or leave gives up after this time. */
const deadlineMs = 4_500;
const attemptMs = 1_500;
/** All members are listed anew this often, for a change whose message was lost. */
const relistMs = 60_000;
const batchSize = 1_024;

const removalOperations = new Set(['DEL', 'PURGE']);
const isRemoval = (hdrs: MsgHdrs | undefined): boolean => removalOperations.has(hdrs?.get('KV-Operation') ?? '');
const isWrongRevision = (error: unknown): boolean =>
  error instanceof JetStreamApiError && [10071, 10164].includes(error.apiError().err_code);

/** `changed` is false when the user was in that state already. */
export interface MembershipResult {
  readonly changed: boolean;
}

/**
 * Memberships in the chat bucket, one key each. A join is a compare-and-set over all member keys of the room: it names
 * the revision of the room's last change, so no two gateways can both take the last place. Changes arrive as
 * republished messages; no consumer is needed.
 */
export class Members {
  readonly #pod: Pod;
  readonly #manager: JetStreamManager;
  readonly #bucket: string;
  readonly #roster = new Roster();
  readonly #queue = new KeyedQueue();
  readonly #listeners = new Set<(change: MemberChange) => void>();
  #relist: NodeJS.Timeout | undefined;

  constructor(pod: Pod, manager: JetStreamManager) {
    this.#pod = pod;
    this.#manager = manager;
    this.#bucket = chatBucket(pod.env.QUARTET_NAMESPACE);
  }

  /** Follows the bucket; resolves when all members are known. */
  async start(): Promise<void> {
    const prefix = memberLivePrefix(this.#pod.env.QUARTET_NAMESPACE);
    const live = this.#pod.nats.subscribe(`${prefix}.*.*`, {
      callback: (error, message) => {
        if (!error) this.#takeLive(message);
      },
    });
    await this.#firstRefresh();
    const again = (): void => void this.refresh().catch((error: unknown) => this.#complain(error));
    this.#relist = setInterval(again, relistMs * (0.75 + Math.random() / 2)).unref();
    this.#pod.onShutdown('chat members', async () => {
      clearInterval(this.#relist);
      live.unsubscribe();
    });
  }

  /** Calls the listener for each change of a membership that this gateway hears of. */
  onChange(listener: (change: MemberChange) => void): void {
    this.#listeners.add(listener);
  }

  count(room: string): number {
    return this.#roster.count(room);
  }

  members(room: string): readonly string[] {
    return this.#roster.members(room);
  }

  roomsOf(user: string): readonly string[] {
    return this.#roster.roomsOf(user);
  }

  /**
   * Whether the user is a member. What is not known here yet is asked of the store.
   * @throws ChatError `unavailable`
   */
  async isMember(room: string, user: string): Promise<boolean> {
    if (this.#roster.has(room, user)) return true;
    const last = await this.#ask({ last_by_subj: this.#subject(memberKey(room, user)) });
    if (last === null) return false;
    this.#note(this.#change(last.subject, last.seq, last.header));
    return this.#roster.has(room, user);
  }

  /**
   * Makes the user a member unless the room has `maxMembers`.
   * @throws ChatError `room-full`, `unavailable`
   */
  join(room: string, user: string, maxMembers: number): Promise<MembershipResult> {
    if (this.#roster.has(room, user)) return Promise.resolve({ changed: false });
    return this.#queue.run(room, () => this.#join(room, user, maxMembers));
  }

  /**
   * Ends a membership.
   * @throws ChatError `unavailable`
   */
  async leave(room: string, user: string): Promise<MembershipResult> {
    if (!(await this.isMember(room, user))) return { changed: false };
    await this.#write(room, user, false, null);
    return { changed: true };
  }

  /** Removes all memberships of a room that is deleted. */
  async clear(room: string): Promise<void> {
    const stream = `KV_${this.#bucket}`;
    const last = (await this.#manager.streams.info(stream)).state.last_seq;
    await this.#manager.streams.purge(stream, { filter: this.#subject(`member.${room}.*`), seq: last + 1 });
    this.#replace(room, [], last);
  }

  /** Lists all members anew. Call it when NATS is back. */
  async refresh(): Promise<void> {
    const { listing, asOf } = await this.#list('member.*.*');
    const rooms = new Set([...this.#roster.rooms(), ...listing.map(({ room }) => room)]);
    const byRoom = Map.groupBy(listing, ({ room }) => room);
    for (const room of rooms) this.#replace(room, byRoom.get(room) ?? [], asOf);
  }

  /** Lists the members; tries for as long as NATS does not answer. */
  async #firstRefresh(): Promise<void> {
    for (;;) {
      try {
        await this.refresh();
        return;
      } catch (error) {
        this.#complain(error);
        await sleep(200 + Math.random() * 300);
      }
    }
  }

  async #join(room: string, user: string, maxMembers: number): Promise<MembershipResult> {
    const deadline = performance.now() + deadlineMs;
    let last: unknown;
    while (performance.now() < deadline) {
      if (this.#roster.has(room, user)) return { changed: true };
      const known = this.#roster.revision(room);
      try {
        const revision = await this.#revisionWithPlace(room, maxMembers);
        if (revision !== null) {
          await this.#write(room, user, true, revision);
          return { changed: true };
        }
      } catch (error) {
        if (error instanceof ChatError && error.code === 'room-full') throw error;
        last = error;
        await this.#catchUp(room, known);
      }
    }
    throw new ChatError('unavailable', 'the membership cannot be written now', { cause: last });
  }

  /**
   * A revision of the room at which it had a place: should it change before the write, the write fails. Rejects with
   * `room-full` when there certainly is none; null when it seemed so from old knowledge, which is renewed now.
   */
  async #revisionWithPlace(room: string, maxMembers: number): Promise<number | null> {
    if (this.#roster.count(room) < maxMembers) return this.#roster.revision(room);
    const newest = await this.#ask({ last_by_subj: this.#subject(`member.${room}.*`) });
    // someone may have been heard to leave in the meantime
    if (this.#roster.count(room) < maxMembers) return this.#roster.revision(room);
    if ((newest?.seq ?? 0) === this.#roster.revision(room)) {
      throw new ChatError('room-full', `the room has ${maxMembers} members`);
    }
    await this.#refreshRoom(room);
    return null;
  }

  /** After a failed write: waits for the change that came first, and reads it when it does not come. */
  async #catchUp(room: string, revision: number): Promise<void> {
    await sleep(5 + Math.random() * 25);
    if (this.#roster.revision(room) !== revision) return;
    await this.#refreshRoom(room).catch((error: unknown) => this.#complain(error));
  }

  async #write(room: string, user: string, present: boolean, revision: number | null): Promise<void> {
    const hdrs = headers();
    if (!present) hdrs.set('KV-Operation', 'DEL');
    const expect =
      revision === null
        ? {}
        : { lastSubjectSequence: revision, lastSubjectSequenceSubject: this.#subject(`member.${room}.*`) };
    const body = present ? JSON.stringify({ user, since: Date.now() }) : '';
    const options = { headers: hdrs, timeout: attemptMs, expect };
    try {
      const ack = await this.#pod.jetstream.publish(this.#subject(memberKey(room, user)), body, options);
      this.#note({ room, user, revision: ack.seq, present });
    } catch (error) {
      if (isWrongRevision(error)) throw error;
      throw new ChatError('unavailable', 'the membership cannot be written now', { cause: error });
    }
  }

  async #refreshRoom(room: string): Promise<void> {
    const { listing, asOf } = await this.#list(`member.${room}.*`);
    this.#replace(room, listing, asOf);
  }

  async #list(filter: string): Promise<{ listing: MemberChange[]; asOf: number }> {
    const stream = `KV_${this.#bucket}`;
    const asOf = (await this.#manager.streams.info(stream)).state.last_seq;
    const range = { stream, subject: this.#subject(filter), after: 0, upTo: asOf };
    const listing: MemberChange[] = [];
    for await (const message of readSubject(this.#manager, range, batchSize)) {
      listing.push(this.#change(message.subject, message.seq, message.header));
    }
    return { listing, asOf };
  }

  async #ask(query: { last_by_subj: string }): Promise<StoredMsg | null> {
    try {
      return await this.#manager.streams.getMessage(`KV_${this.#bucket}`, query);
    } catch (error) {
      throw new ChatError('unavailable', 'the members cannot be read now', { cause: error });
    }
  }

  #takeLive(message: Msg): void {
    const seq = Number(message.headers?.get('Nats-Sequence'));
    if (Number.isSafeInteger(seq)) this.#note(this.#change(message.subject, seq, message.headers));
  }

  #change(subject: string, revision: number, hdrs: MsgHdrs | undefined): MemberChange {
    const tokens = subject.split('.');
    const user = decodeUser(tokens.at(-1) ?? '');
    return { room: tokens.at(-2) ?? '', user, revision, present: !isRemoval(hdrs) };
  }

  #note(change: MemberChange): void {
    if (this.#roster.apply(change)) for (const listener of this.#listeners) listener(change);
  }

  #replace(room: string, listing: readonly MemberChange[], asOf: number): void {
    for (const user of this.#roster.replace(room, listing, asOf)) {
      for (const listener of this.#listeners) listener({ room, user, revision: asOf, present: false });
    }
  }

  #subject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  #complain(error: unknown): void {
    this.#pod.log.debug({ err: error }, 'the members cannot be read now');
  }
}
