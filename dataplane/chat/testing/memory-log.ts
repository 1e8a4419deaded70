import { ChatError } from '../chat-error.ts';
import { decodeBody, type StoredPublication } from '../room/stored-publication.ts';
import type { Appended, MessageLog, Page, ReadBounds, RoomPosition } from '../store/message-log.ts';

interface Kept {
  readonly room: string;
  readonly id: string;
  readonly seq: number;
  readonly publication: StoredPublication | null;
}

/** A message log in memory, for tests: one stream for all rooms, and it can be told to fail or to forget. */
export class MemoryLog implements MessageLog {
  epoch = 'memory';
  /** Questions that still fail. */
  failures = 0;
  readonly #floors = new Map<string, number>();
  #messages: Kept[] = [];
  #last = 0;

  async append(room: string, id: string, body: string): Promise<Appended> {
    const known = this.#messages.find((each) => each.room === room && each.id === id);
    if (known !== undefined) return { seq: known.seq, duplicate: true };
    const seq = ++this.#last;
    this.#messages.push({ room, id, seq, publication: decodeBody(body, seq, Date.now()) });
    return { seq, duplicate: false };
  }

  async position(room: string): Promise<RoomPosition> {
    await this.#answer();
    void room;
    return { epoch: this.epoch, top: this.#last };
  }

  async read(room: string, range: { after: number; upTo: number }, bounds: ReadBounds): Promise<Page> {
    await this.#answer();
    const found = this.#of(room).filter(({ seq }) => seq > range.after && seq <= range.upTo);
    const publications: StoredPublication[] = [];
    let bytes = 0;
    for (const publication of found) {
      if (publications.length >= bounds.messages || bytes >= bounds.bytes) return { publications, complete: false };
      publications.push(publication);
      bytes += publication.json.length;
    }
    return { publications, complete: true };
  }

  async readLast(room: string, before: number, count: number): Promise<readonly StoredPublication[]> {
    await this.#answer();
    return this.#of(room)
      .filter(({ seq }) => seq < before)
      .slice(-count);
  }

  async floor(room: string): Promise<number> {
    await this.#answer();
    return this.#floors.get(room) ?? 0;
  }

  /** What the stream's live copy of a message says came before it. */
  previousOf(room: string, seq: number): number {
    return this.#messages.findLast((each) => each.room === room && each.seq < seq)?.seq ?? 0;
  }

  /** Retention: removes a room's messages up to a sequence. */
  forget(room: string, upTo: number): void {
    this.#floors.set(room, Math.max(upTo, this.#floors.get(room) ?? 0));
    this.#messages = this.#messages.filter((each) => each.room !== room || each.seq > upTo);
  }

  #of(room: string): StoredPublication[] {
    const mine = this.#messages.filter((each) => each.room === room);
    return mine.flatMap(({ publication }) => (publication === null ? [] : [publication]));
  }

  async #answer(): Promise<void> {
    if (this.failures === 0) return;
    this.failures--;
    throw new ChatError('unavailable', 'told to fail');
  }
}
