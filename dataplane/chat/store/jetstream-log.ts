import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { chatBucket } from '../../../contract/subjects.ts';
import { ChatError } from '../chat-error.ts';
import { decodeBody, type StoredPublication } from '../room/stored-publication.ts';
import { append, type AppendTimes } from './append.ts';
import { epochOf } from './epoch.ts';
import { parseFloor } from './floor.ts';
import type { Appended, MessageLog, Page, ReadBounds, RoomPosition } from './message-log.ts';
import { addressOf, type RoomAddress } from './partition.ts';
import { readSubject } from './read-subject.ts';

/** Messages fetched by one request to the stream. */
const batchSize = 256;
/** First guess how many sequences back to look per message that is wanted; grows until it is enough. */
const firstSpan = 4;

export interface JetStreamLogOptions {
  readonly namespace: string;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly times: AppendTimes;
}

const unavailable = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ChatError) throw error;
    throw new ChatError('unavailable', `the store does not answer: ${(error as Error).message}`, { cause: error });
  }
};

/** The message log on the namespace's partition streams. */
export class JetStreamLog implements MessageLog {
  readonly #options: JetStreamLogOptions;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
  }

  append(room: string, id: string, body: string): Promise<Appended> {
    const { jetstream, times } = this.#options;
    return append(jetstream, { subject: this.#address(room).subject, id, body }, times);
  }

  position(room: string): Promise<RoomPosition> {
    const { manager } = this.#options;
    const { stream, subject } = this.#address(room);
    return unavailable(async () => {
      // in this order: what was stored up to last_seq is seen by the second question, so nothing hides below the top
      const info = await manager.streams.info(stream);
      const last = await manager.streams.getMessage(stream, { last_by_subj: subject });
      return { epoch: epochOf(info.created), top: Math.max(info.state.last_seq, last?.seq ?? 0) };
    });
  }

  read(room: string, range: { after: number; upTo: number }, bounds: ReadBounds): Promise<Page> {
    const { manager } = this.#options;
    const { stream, subject } = this.#address(room);
    return unavailable(async () => {
      const taken: StoredPublication[] = [];
      let bytes = 0;
      for await (const message of readSubject(manager, { stream, subject, ...range }, batchSize)) {
        if (taken.length >= bounds.messages || bytes >= bounds.bytes) return { publications: taken, complete: false };
        const publication = decodeBody(message.string(), message.seq, message.time.getTime());
        if (publication === null) continue;
        taken.push(publication);
        bytes += publication.json.length;
      }
      return { publications: taken, complete: true };
    });
  }

  readLast(room: string, before: number, count: number): Promise<readonly StoredPublication[]> {
    return unavailable(async () => {
      let found: StoredPublication[] = [];
      let upTo = before - 1;
      let span = count * firstSpan;
      while (upTo > 0 && found.length < count) {
        const after = Math.max(0, upTo - span);
        const bounds = { messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
        const page = await this.read(room, { after, upTo }, bounds);
        found = [...page.publications, ...found];
        upTo = after;
        span *= 4;
      }
      return found.slice(-count);
    });
  }

  floor(room: string): Promise<number> {
    const { manager, namespace } = this.#options;
    const bucket = chatBucket(namespace);
    return unavailable(async () => {
      const { stream } = this.#address(room);
      const stored = await manager.streams.getMessage(`KV_${bucket}`, { last_by_subj: `$KV.${bucket}.floor.${room}` });
      if (stored === null) return 0;
      const floor = parseFloor(stored.string());
      if (floor === null) return 0;
      const info = await manager.streams.info(stream);
      return floor.epoch === epochOf(info.created) ? floor.seq : 0;
    });
  }

  #address(room: string): RoomAddress {
    return addressOf(this.#options.namespace, room);
  }
}
