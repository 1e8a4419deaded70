import type { StoredPublication } from '../room/stored-publication.ts';

/** What an append did. */
export interface Appended {
  readonly seq: number;
  /** True when a message with this id was stored before: `seq` is that one's. */
  readonly duplicate: boolean;
}

/** Messages of a room in order, and whether the bounds of the call cut them off. */
export interface Page {
  readonly publications: readonly StoredPublication[];
  readonly complete: boolean;
}

/** Bounds of a read. */
export interface ReadBounds {
  readonly messages: number;
  readonly bytes: number;
}

/** The room's place in its stream. */
export interface RoomPosition {
  /** Names the stream's history: another epoch, another history. */
  readonly epoch: string;
  /** Every message of the room with a sequence up to this one is stored; later ones have a higher sequence. */
  readonly top: number;
}

/**
 * The stored messages of rooms. Sequences of one room rise with holes, because rooms share a stream.
 * All calls have a deadline and reject with ChatError `unavailable` when the store does not answer.
 */
export interface MessageLog {
  /**
   * Stores a message; resolves only when it is stored. The same `id` within two minutes is stored once, so a caller
   * may send again after `unknown-outcome`.
   * @throws ChatError `unknown-outcome` when no attempt was answered, `refused` when the store says no
   */
  append(room: string, id: string, body: string): Promise<Appended>;
  /** The room's position as the stream's leader knows it. */
  position(room: string): Promise<RoomPosition>;
  /** Messages with after < sequence <= upTo, oldest first. Misses none that is stored when it is called. */
  read(room: string, range: { after: number; upTo: number }, bounds: ReadBounds): Promise<Page>;
  /** The last `count` messages with sequence < before, oldest first. */
  readLast(room: string, before: number, count: number): Promise<readonly StoredPublication[]>;
  /** Messages of the room up to this sequence may have been removed by retention; 0 when none. */
  floor(room: string): Promise<number>;
}
