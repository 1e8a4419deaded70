import type { Disconnect } from './disconnect.ts';
import type { ReplyError } from './reply-error.ts';

/** Who published, joined or is present. */
export interface ClientInfo {
  readonly user: string;
  readonly client: string;
}

/** A message as it stands in a room's stream; `offset` is its stream sequence, so offsets of a room have holes. */
export interface Publication {
  readonly data: unknown;
  readonly info?: ClientInfo;
  readonly offset: number;
  /** When it was stored, Unix milliseconds. */
  readonly time: number;
}

/** The server's ping: an empty reply. */
export const pingLine = '{}';

/** The reply to a command: `result` under the method's name. */
export const replyLine = (id: number, method: string, result: object): string =>
  JSON.stringify({ id, [method]: result });

/** The refusal of a command. */
export const errorLine = (id: number, error: ReplyError): string => JSON.stringify({ id, error });

/** A join or leave of a channel, for subscribers that asked for them. */
export const presenceLine = (channel: string, event: 'join' | 'leave', info: ClientInfo): string =>
  JSON.stringify({ push: { channel, [event]: { info } } });

/** Ends a subscription from the server's side. */
export const unsubscribeLine = (channel: string, why: Disconnect): string =>
  JSON.stringify({ push: { channel, unsubscribe: why } });

/** A publication that is not stored (typing): it has no offset, so it moves no client's position. */
export const ephemeralLine = (channel: string, data: unknown, info: ClientInfo): string =>
  JSON.stringify({ push: { channel, pub: { data, info } } });
