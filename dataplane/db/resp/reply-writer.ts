import { DbError } from '../db-error.ts';
import { maxReplyBytes } from '../limits.ts';

/** Version of RESP that a connection speaks. They differ in how nothing and maps are written. */
export type Protocol = 2 | 3;

/** Writes replies in RESP into one buffer that grows and is used again. */
export class ReplyWriter {
  protocol: Protocol = 2;
  length = 0;
  #bytes: Buffer;

  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** What was written since `from`, as a view that the next write may change. */
  view(from = 0): Buffer {
    return this.#bytes.subarray(from, this.length);
  }

  /** What was written, as a copy; the writer is empty afterwards. */
  take(): Buffer {
    const copy = Buffer.from(this.view());
    this.length = 0;
    return copy;
  }

  ok(): void {
    this.#ascii('+OK\r\n');
  }

  simple(text: string): void {
    this.#ascii(`+${text}\r\n`);
  }

  /** `line` begins with the error's code. Line breaks in it become blanks. */
  error(line: string): void {
    this.raw(Buffer.from(`-${line.replaceAll(/[\r\n]+/g, ' ')}\r\n`));
  }

  integer(value: number | bigint): void {
    this.#ascii(`:${value}\r\n`);
  }

  bulk(value: Buffer | string): void {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.#ascii(`$${bytes.length}\r\n`);
    this.#reserve(bytes.length + 2);
    bytes.copy(this.#bytes, this.length);
    this.length += bytes.length;
    this.#bytes[this.length++] = 13;
    this.#bytes[this.length++] = 10;
  }

  /** A floating-point number: a type of its own in RESP3, text in RESP2. */
  double(value: number): void {
    if (this.protocol === 3) this.#ascii(`,${formatDouble(value)}\r\n`);
    else this.bulk(formatDouble(value));
  }

  nil(): void {
    this.#ascii(this.protocol === 3 ? '_\r\n' : '$-1\r\n');
  }

  /** What EXEC answers when a watched key has changed. */
  nilArray(): void {
    this.#ascii(this.protocol === 3 ? '_\r\n' : '*-1\r\n');
  }

  array(count: number): void {
    this.#ascii(`*${count}\r\n`);
  }

  /** A message that is not a reply; RESP2 has no type for it. */
  push(count: number): void {
    this.#ascii(`${this.protocol === 3 ? '>' : '*'}${count}\r\n`);
  }

  set(count: number): void {
    this.#ascii(`${this.protocol === 3 ? '~' : '*'}${count}\r\n`);
  }

  /** A map of `count` pairs; the pairs follow, key and value in turn. */
  map(count: number): void {
    this.#ascii(this.protocol === 3 ? `%${count}\r\n` : `*${2 * count}\r\n`);
  }

  /** Bytes that are RESP already. */
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.length);
    this.length += bytes.length;
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    this.length += this.#bytes.write(text, this.length, 'latin1');
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    if (needed > maxReplyBytes) throw new DbError('ERR', `the reply exceeds the limit of ${maxReplyBytes} bytes`);
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, needed));
    this.#bytes.copy(bytes, 0, 0, this.length);
    this.#bytes = bytes;
  }
}

/** As Redis writes it: the shortest text that means the same number. */
export const formatDouble = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan';
};

/** One reply of its own, as bytes. */
export const encodeReply = (protocol: Protocol, write: (writer: ReplyWriter) => void): Buffer => {
  const writer = new ReplyWriter(64);
  writer.protocol = protocol;
  write(writer);
  return writer.view();
};

/** An error reply of its own, as bytes. */
export const encodeError = (line: string): Buffer => encodeReply(2, (writer) => writer.error(line));
