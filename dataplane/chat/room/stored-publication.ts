import type { Publication } from '../protocol/reply.ts';

/**
 * A message of a room as it travels through the gateway: read once, encoded once, shared by all subscribers.
 * In the stream it is JSON `{"data":…,"info":…}`; offset and time come from the stream.
 */
export interface StoredPublication {
  readonly seq: number;
  /** When it was stored, Unix milliseconds. */
  readonly time: number;
  /** The publication as JSON text with offset and time: what history and recovery put into their replies. */
  readonly json: string;
}

/** What is written to the stream. */
export const encodeBody = (body: Pick<Publication, 'data' | 'info'>): string => JSON.stringify(body);

const isBody = (value: unknown): value is Pick<Publication, 'data' | 'info'> =>
  typeof value === 'object' && value !== null && 'data' in value;

/**
 * Reads a stored message. Null when it is not one of ours: somebody else wrote to the subject, and no client may be
 * broken by it.
 */
export const decodeBody = (text: string, seq: number, time: number): StoredPublication | null => {
  try {
    const body: unknown = JSON.parse(text);
    if (!isBody(body)) return null;
    const publication: Publication = {
      data: body.data,
      ...(body.info === undefined ? {} : { info: body.info }),
      offset: seq,
      time,
    };
    return { seq, time, json: JSON.stringify(publication) };
  } catch {
    return null;
  }
};
