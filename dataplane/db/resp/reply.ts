/** An error that a server answered: the whole line. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** A decoded reply. Integers beyond 2^53 are bigints; maps are arrays of pairs. */
export type Reply = null | boolean | number | bigint | string | Buffer | ReplyError | readonly Reply[] | ReplyMap;

/** A RESP3 map, in the order of the wire. */
export interface ReplyMap {
  readonly pairs: readonly (readonly [Reply, Reply])[];
}

/** A reply and where the next begins. */
export interface Decoded {
  readonly reply: Reply;
  readonly next: number;
}

const maxDepth = 32;

const integer = (text: string): number | bigint => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
};

const simple: Readonly<Record<string, (line: string) => Reply>> = {
  '+': (line) => line,
  '-': (line) => new ReplyError(line),
  ':': integer,
  _: () => null,
  '#': (line) => line === 't',
  ',': (line) => (line.endsWith('inf') ? (line.startsWith('-') ? -Infinity : Infinity) : Number(line)),
  '(': BigInt,
};

/** Reads what follows a line with a length or a count. */
type ReadBody = (bytes: Buffer, at: number, count: number, depth: number) => Decoded | null;

const bulk: ReadBody = (bytes, at, length) => {
  if (length < 0) return { reply: null, next: at };
  if (at + length + 2 > bytes.length) return null;
  return { reply: bytes.subarray(at, at + length), next: at + length + 2 };
};

const many: ReadBody = (bytes, at, count, depth) => {
  if (count < 0) return { reply: null, next: at };
  if (depth >= maxDepth) throw new RangeError('a reply is nested too deeply');
  const replies: Reply[] = [];
  let next = at;
  for (let i = 0; i < count; i++) {
    const decoded = decodeReply(bytes, next, depth + 1);
    if (decoded === null) return null;
    replies.push(decoded.reply);
    next = decoded.next;
  }
  return { reply: replies, next };
};

const map: ReadBody = (bytes, at, count, depth) => {
  const flat = many(bytes, at, 2 * count, depth);
  if (flat === null) return null;
  const items = flat.reply as readonly Reply[];
  const pairs = Array.from({ length: count }, (_, i) => [items[2 * i] ?? null, items[2 * i + 1] ?? null] as const);
  return { reply: { pairs }, next: flat.next };
};

const bodies: Readonly<Record<string, ReadBody>> = { $: bulk, '=': bulk, '*': many, '~': many, '>': many, '%': map };

/**
 * Decodes the reply at `start`, RESP2 or RESP3. Null: bytes are missing. Bulk strings are views.
 * @throws RangeError when the bytes are not a reply
 */
export const decodeReply = (bytes: Buffer, start = 0, depth = 0): Decoded | null => {
  const lineEnd = bytes.indexOf('\r\n', start + 1, 'latin1');
  if (lineEnd < 0) return null;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString('utf8', start + 1, lineEnd);
  const next = lineEnd + 2;
  const read = simple[kind];
  if (read) return { reply: read(line), next };
  const readBody = bodies[kind];
  if (readBody) return readBody(bytes, next, Number(line), depth);
  throw new RangeError(`not a reply: it begins with ${JSON.stringify(kind)}`);
};
