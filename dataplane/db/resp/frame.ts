/**
 * One command as it came from the wire: its bytes in RESP form and where each argument lies in them.
 * Parsers reuse one frame: it is valid until the next command is parsed. Nothing is copied.
 */
export class Frame {
  bytes: Buffer = empty;
  /** The whole command is `bytes[start, end)`. */
  start = 0;
  end = 0;
  /** Number of arguments, the command's name included. */
  count = 0;
  /** Argument `i` is `bytes[offsets[2i], offsets[2i+1])`. */
  readonly offsets: number[] = [];

  /** Argument `i` as a view. The empty buffer when there is none. */
  argument(i: number): Buffer {
    return this.bytes.subarray(this.offsets[2 * i], this.offsets[2 * i + 1]);
  }

  /** Length of argument `i` in bytes. */
  lengthOf(i: number): number {
    return (this.offsets[2 * i + 1] ?? 0) - (this.offsets[2 * i] ?? 0);
  }

  /** Argument `i`, one character a byte: the form in which keys are compared and looked up. */
  key(i: number): string {
    return this.bytes.toString('latin1', this.offsets[2 * i], this.offsets[2 * i + 1]);
  }

  /** Argument `i` as text. */
  text(i: number): string {
    return this.bytes.toString('utf8', this.offsets[2 * i], this.offsets[2 * i + 1]);
  }

  /** Argument `i` in upper case: for names of options. */
  word(i: number): string {
    return this.key(i).toUpperCase();
  }

  /** The command in RESP form, as a view. */
  raw(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }
}

const empty = Buffer.alloc(0);

/** RESP form of a command. */
export const encodeCommand = (args: readonly (Uint8Array | string)[]): Buffer => {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), Buffer.from(bytes), crlf);
  }
  return Buffer.concat(parts);
};

const crlf = Buffer.from('\r\n');

/** Reads `<digits>\r\n` at `at` in bytes that a parser of ours has accepted before. */
const trustedLength = (bytes: Buffer, at: number): { value: number; next: number } => {
  let value = 0;
  let i = at;
  for (let digit = bytes[i]; digit !== undefined && digit !== 13; digit = bytes[++i]) value = value * 10 + digit - 48;
  return { value, next: i + 2 };
};

/**
 * Points `frame` at the command at `start` of bytes that {@link RequestParser} has accepted in another process.
 * @returns where the next command starts
 * @throws RangeError when the bytes are not a whole command
 */
export const readTrusted = (frame: Frame, bytes: Buffer, start: number): number => {
  const header = trustedLength(bytes, start + 1);
  let at = header.next;
  for (let i = 0; i < header.value; i++) {
    const bulk = trustedLength(bytes, at + 1);
    frame.offsets[2 * i] = bulk.next;
    frame.offsets[2 * i + 1] = bulk.next + bulk.value;
    at = bulk.next + bulk.value + 2;
    if (at > bytes.length || Number.isNaN(at)) throw new RangeError('a command is cut short');
  }
  frame.bytes = bytes;
  frame.start = start;
  frame.end = at;
  frame.count = header.value;
  return at;
};
