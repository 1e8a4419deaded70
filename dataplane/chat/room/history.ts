import type { ChatRoomEntry } from '../../../contract/directory.ts';
import { replyErrors, type ReplyError } from '../protocol/reply-error.ts';
import type { Services } from '../services.ts';
import type { StoredPublication } from './stored-publication.ts';

/** `limit` 0 asks for the position only, -1 for as much as is allowed; `since` is exclusive. */
export interface HistoryQuery {
  readonly limit: number;
  readonly since?: { readonly offset: number; readonly epoch: string } | undefined;
  readonly reverse: boolean;
}

export interface History {
  readonly publications: readonly StoredPublication[];
  readonly epoch: string;
  /** The room's position now. */
  readonly offset: number;
}

export type HistoryResult =
  { readonly ok: true; readonly history: History } | { readonly ok: false; readonly error: ReplyError };

type Sources = Pick<Services, 'hubs' | 'log' | 'limits'>;

/** The last messages before a sequence: from memory when the room is live and holds them. */
const lastBefore = async (
  { hubs, log }: Sources,
  room: string,
  before: number,
  count: number,
): Promise<readonly StoredPublication[]> => hubs.find(room)?.recent(before, count) ?? log.readLast(room, before, count);

const firstAfter = async (
  { log, limits }: Sources,
  room: string,
  range: { after: number; upTo: number },
  messages: number,
): Promise<readonly StoredPublication[]> =>
  (await log.read(room, range, { messages, bytes: limits.maxRecoveredBytes })).publications;

/** The messages that a query asks for, in its order. */
const select = async (
  sources: Sources,
  room: string,
  query: HistoryQuery,
  top: number,
): Promise<readonly StoredPublication[]> => {
  const maximum = sources.limits.maxHistory;
  const limit = query.limit < 0 ? maximum : Math.min(query.limit, maximum);
  if (limit === 0) return [];
  if (query.reverse) return (await lastBefore(sources, room, query.since?.offset ?? top + 1, limit)).toReversed();
  return await firstAfter(sources, room, { after: query.since?.offset ?? 0, upTo: top }, limit);
};

/**
 * Reads a room's history, oldest first or newest first. Messages beyond the room's retention are not shown, removed
 * yet or not.
 * @throws ChatError `unavailable`
 */
export const readHistory = async (
  sources: Sources,
  room: ChatRoomEntry,
  query: HistoryQuery,
): Promise<HistoryResult> => {
  const hub = sources.hubs.find(room.name);
  const { epoch, top } = hub === undefined ? await sources.log.position(room.name) : hub;
  const { since } = query;
  if (since !== undefined && since.epoch !== '' && since.epoch !== epoch) {
    return { ok: false, error: replyErrors.unrecoverablePosition };
  }
  const found = await select(sources, room.name, query, top);
  const oldest = Date.now() - room.retention.maxAgeSeconds * 1000;
  return { ok: true, history: { publications: found.filter(({ time }) => time >= oldest), epoch, offset: top } };
};
