import type { JetStreamManager } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { epochOf } from './epoch.ts';
import { floorKey, parseFloor } from './floor.ts';
import type { MessageLog } from './message-log.ts';
import { addressOf } from './partition.ts';
import { directBatch } from '../../fabric/direct-batch.ts';

/** What the sweep works with. */
export interface RetentionStore {
  readonly namespace: string;
  readonly manager: JetStreamManager;
  readonly bucket: KV;
  readonly log: MessageLog;
}

/** First sequence of the room's messages that are young enough; null when there is none. */
const firstYoung = async (store: RetentionStore, room: string, since: Date): Promise<number | null> => {
  const { stream, subject } = addressOf(store.namespace, room);
  const query = { start_time: since, next_by_subj: subject, batch: 1 };
  const found = await directBatch(store.manager, stream, query);
  return found[0]?.seq ?? null;
};

/** First sequence of the room's last `keep` messages, of `count`; found by walking the ones to be removed. */
const firstKept = async (store: RetentionStore, room: string, surplus: number): Promise<number | null> => {
  const { stream, subject } = addressOf(store.namespace, room);
  let left = surplus;
  let seq = 1;
  while (left > 0) {
    const batch = await directBatch(store.manager, stream, {
      seq,
      next_by_subj: subject,
      batch: Math.min(left, 1_024),
    });
    const last = batch.at(-1);
    if (last === undefined) return null;
    left -= batch.length;
    seq = last.seq + 1;
  }
  return seq;
};

/**
 * Removes what a room's retention does not keep: messages older than `maxAge`, and the oldest beyond `maxMessages`.
 * The floor is raised first, so that no client is told that it recovered what was removed. Returns how many went.
 */
export const sweepRoom = async (
  store: RetentionStore,
  room: ChatRoomEntry,
  count: number,
  now: number,
): Promise<number> => {
  if (count === 0) return 0;
  const { stream, subject } = addressOf(store.namespace, room.name);
  const info = await store.manager.streams.info(stream);
  const end = info.state.last_seq + 1;
  const young = (await firstYoung(store, room.name, new Date(now - room.retention.maxAgeSeconds * 1000))) ?? end;
  const surplus = count - room.retention.maxMessages;
  const kept = surplus > 0 ? ((await firstKept(store, room.name, surplus)) ?? 0) : 0;
  const keepFrom = Math.max(young, kept);
  const first = await directBatch(store.manager, stream, { seq: 1, next_by_subj: subject, batch: 1 });
  if ((first[0]?.seq ?? end) >= keepFrom) return 0;
  // the last message that goes, not more: whoever saw it lost nothing
  const [last] = await store.log.readLast(room.name, keepFrom, 1);
  await raiseFloor(store, room.name, { epoch: epochOf(info.created), seq: last?.seq ?? keepFrom - 1 });
  return (await store.manager.streams.purge(stream, { filter: subject, seq: keepFrom })).purged;
};

/** Removes all messages of a room that is deleted. */
export const clearRoom = async (store: RetentionStore, room: string): Promise<void> => {
  const { stream, subject } = addressOf(store.namespace, room);
  const info = await store.manager.streams.info(stream);
  const last = info.state.last_seq;
  await raiseFloor(store, room, { epoch: epochOf(info.created), seq: last });
  // bounded: should the purge be late, it takes nothing from a new room of the same name
  await store.manager.streams.purge(stream, { filter: subject, seq: last + 1 });
};

const raiseFloor = async (
  { bucket }: RetentionStore,
  room: string,
  floor: { epoch: string; seq: number },
): Promise<void> => {
  const stored = await bucket.get(floorKey(room));
  const known = stored === null ? null : parseFloor(stored.string());
  if (known !== null && known.epoch === floor.epoch && known.seq >= floor.seq) return;
  await bucket.put(floorKey(room), JSON.stringify(floor));
};
