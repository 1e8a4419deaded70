import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Kvm, type KV } from '@nats-io/kv';
import { chatBucket } from '../../../contract/subjects.ts';
import type { Pod } from '../../fabric/pod.ts';
import { ChatError } from '../chat-error.ts';
import { userKey } from './user-key.ts';

/** What a user shows of themselves while connected. */
export const userStatus = z.enum(['available', 'away', 'busy']);
export type UserStatus = z.infer<typeof userStatus>;

/** What is kept about a user. Rooms come from memberships, sessions from the gateways. */
export const userRecord = z.object({
  user: z.string(),
  username: z.string(),
  email: z.string().optional(),
  status: userStatus.default('available'),
  /** Last connect or disconnect, Unix milliseconds. */
  lastSeen: z.number(),
});
export type UserRecord = z.infer<typeof userRecord>;

/** A change of a record. */
export type UserPatch = Partial<Pick<UserRecord, 'username' | 'email' | 'status' | 'lastSeen'>>;

/** Records that wait to be written; beyond it the oldest news wait no longer. */
const maxWaiting = 100_000;
/** Between two records that are written (ms): a crowd that reconnects does not become a crowd of writes. */
const pauseMs = 2;

/**
 * Records of users in the chat bucket. Writes are gathered per user and made in the background: nobody waits for
 * `last seen`, and losing one with the process loses no message.
 */
export class Users {
  readonly #pod: Pod;
  readonly #waiting = new Map<string, UserPatch>();
  #bucket: KV | undefined;
  #writing = false;

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  /**
   * A user's record; null when nobody of that name was here.
   * @throws ChatError `unavailable`
   */
  async get(user: string): Promise<UserRecord | null> {
    const entry = await this.#ask((bucket) => bucket.get(userKey(user)));
    const stored = entry === null || entry.operation !== 'PUT' ? null : userRecord.safeParse(parse(entry.string()));
    const patch = this.#waiting.get(user);
    if (stored?.success === true) return { ...stored.data, ...patch };
    return patch === undefined ? null : { user, username: user, status: 'available', lastSeen: 0, ...patch };
  }

  /** Notes a change; it is written soon. */
  note(user: string, patch: UserPatch): void {
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(user)) return;
    this.#waiting.set(user, { ...this.#waiting.get(user), ...patch });
    if (!this.#writing) void this.#writeAll();
  }

  /** Resolves when all that was noted is written, or cannot be now. */
  async flush(): Promise<void> {
    while (this.#writing) await sleep(10);
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      for (const [user, patch] of this.#waiting) {
        const record: UserRecord = {
          user,
          username: user,
          status: 'available',
          lastSeen: 0,
          ...(await this.get(user)),
        };
        await this.#ask((bucket) => bucket.put(userKey(user), JSON.stringify({ ...record, ...patch })));
        if (this.#waiting.get(user) === patch) this.#waiting.delete(user);
        await sleep(pauseMs);
      }
    } catch (error) {
      this.#pod.log.debug({ err: error }, 'users cannot be written now; the next change tries again');
    } finally {
      this.#writing = false;
    }
  }

  async #ask<T>(work: (bucket: KV) => Promise<T>): Promise<T> {
    try {
      this.#bucket ??= await new Kvm(this.#pod.jetstream).open(chatBucket(this.#pod.env.QUARTET_NAMESPACE));
      return await work(this.#bucket);
    } catch (error) {
      throw new ChatError('unavailable', 'the users cannot be read now', { cause: error });
    }
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};
