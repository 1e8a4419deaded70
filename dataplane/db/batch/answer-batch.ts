/**
 * What a member answers: replies to requests of one gateway that became final together, in one NATS message.
 *
 *     f64 sequence   then per answer:   u32 id   u8 status   u32 length   bytes
 *
 * `sequence`: the state of the shard's log that the replies reflect.
 */
export const answerStatus = {
  /** The bytes are the RESP reply, or its last part. */
  reply: 0,
  /** Surely not executed; the bytes say why. To be sent again, here or to another member. */
  refused: 1,
  /** May or may not have been executed; the bytes say why. */
  unknown: 2,
  /** The bytes are a part of a RESP reply; more follows. */
  part: 3,
  /** Surely not executed: a key is not in the range of this shard. To be sent to the shard that has it. */
  moved: 4,
} as const;

export interface Answer {
  readonly id: number;
  readonly status: number;
  readonly bytes: Buffer;
}

const headerBytes = 8;
const itemBytes = 9;
/** A message is sent when it reaches this size, and no reply is put into one message in larger parts. */
const segmentBytes = 1024 * 1024;

/** Collects answers for one gateway until their outcome is known, then becomes messages. */
export class AnswerBuilder {
  /** Ids of the requests, and whether each wrote. */
  readonly ids: number[] = [];
  readonly wrote: boolean[] = [];
  readonly #full: Buffer[] = [];
  #bytes = Buffer.allocUnsafe(1024);
  #length = headerBytes;

  /** Adds a reply. It is copied. */
  reply(id: number, wrote: boolean, reply: Buffer): void {
    this.ids.push(id);
    this.wrote.push(wrote);
    let at = 0;
    for (; reply.length - at > segmentBytes; at += segmentBytes) {
      this.add(id, answerStatus.part, reply.subarray(at, at + segmentBytes));
    }
    this.add(id, answerStatus.reply, at === 0 ? reply : reply.subarray(at));
  }

  /** Adds an answer of any status, without keeping track of it. */
  add(id: number, status: number, bytes: Buffer): void {
    const needed = itemBytes + bytes.length;
    if (this.#length + needed > this.#bytes.length) this.#grow(needed);
    let at = this.#bytes.writeUInt32BE(id, this.#length);
    this.#bytes[at] = status;
    at = this.#bytes.writeUInt32BE(bytes.length, at + 1);
    this.#length = at + bytes.copy(this.#bytes, at);
    if (this.#length > segmentBytes) this.#cut();
  }

  /** The messages, all with this sequence. */
  messages(sequence: number): Buffer[] {
    if (this.#length > headerBytes) this.#cut();
    for (const message of this.#full) message.writeDoubleBE(sequence, 0);
    return this.#full;
  }

  #cut(): void {
    this.#full.push(this.#bytes.subarray(0, this.#length));
    this.#bytes = Buffer.allocUnsafe(1024);
    this.#length = headerBytes;
  }

  #grow(more: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}

export const sequenceOf = (message: Buffer): number => message.readDoubleBE(0);

/** The answers of a message; bytes are views. @throws RangeError when it is cut short */
export function* decodeAnswers(message: Buffer): Generator<Answer> {
  for (let at = headerBytes; at < message.length;) {
    const start = at + itemBytes;
    const end = start + message.readUInt32BE(at + 5);
    if (end > message.length) throw new RangeError('a batch of answers is cut short');
    yield { id: message.readUInt32BE(at), status: message[at + 4] ?? 0, bytes: message.subarray(start, end) };
    at = end;
  }
}
